// Airflow's first page takes a plugin's part of it as a React component: ours is a frame with a page of the console, as
// high as what it shows.
const fit = ({ currentTarget: frame }) => {
  const shown = frame.contentDocument.body;
  new frame.contentWindow.ResizeObserver(() => { frame.style.height = `${shown.scrollHeight}px`; }).observe(shown);
};
globalThis["Onefold home"] = () => globalThis.React.createElement("iframe", {
  src: new URL("../widgets/home", import.meta.url).pathname,
  title: "Warehouse",
  onLoad: fit,
  style: { border: 0, display: "block", flexShrink: 0, height: "9rem", order: 3, width: "100%" },
});
