// Dark or light as Airflow's UI, whose page this frame stands in; by itself as the browser prefers. Runs before the page shows.
(() => {
  const root = document.documentElement;
  const dark = () => {
    try {
      if (window.parent !== window) return window.parent.document.documentElement.classList.contains("dark");
    } catch { /* a frame of another origin: as the browser prefers */ }
    const chosen = localStorage.getItem("theme");
    return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  };
  const follow = () => root.classList.toggle("dark", dark());
  follow();
  if (window.parent !== window) {
    new MutationObserver(follow).observe(window.parent.document.documentElement, { attributes: true, attributeFilter: ["class"] });
  }
})();
