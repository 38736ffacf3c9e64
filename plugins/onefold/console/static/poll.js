// While something runs, its part of the page is asked for again and again, and replaced; the rest stays as it is.
(() => {
  const look = async () => {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    const part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("account");
    const shown = document.getElementById("account");
    if (answer.redirected) return location.replace(answer.url);
    if (!answer.ok || !part) return again();
    if (shown.innerHTML !== part.innerHTML) shown.replaceChildren(...part.childNodes);
    if (part.hasAttribute("data-poll")) { shown.dataset.poll = part.dataset.poll; again(); } else location.reload();
  };
  const again = () => setTimeout(() => look().catch(again), 1000 * (Number(document.getElementById("account").dataset.poll) || 2));
  if (document.querySelector("#account[data-poll]")) again();
})();
