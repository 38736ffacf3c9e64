// A filter applies when it is chosen; without scripts its button does the same.
for (const choice of document.querySelectorAll("[data-submit]")) {
  for (const button of choice.form.querySelectorAll("button:not([data-keep])")) button.hidden = true;
  choice.addEventListener("change", () => choice.form.requestSubmit());
}
// Fields that are left empty stay out of the address.
for (const form of document.querySelectorAll("form[method=get]")) {
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
  });
}
// What is sent once is not sent twice by a double click.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => { for (const button of form.querySelectorAll("button")) button.disabled = true; });
}
// Airflow shows the console in a frame that may not lead its page elsewhere: a link to Airflow itself is followed there.
if (window.parent !== window) {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[target=_top]");
    if (link === null) return;
    event.preventDefault();
    const there = window.parent.document.createElement("a");
    there.href = link.href;
    there.click();
  });
}
