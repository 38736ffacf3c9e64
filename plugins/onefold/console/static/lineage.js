// Draws the graph in data-picture: dagre places it, this makes SVG of it. Sizes are attributes, colours classes of the
// style sheet, so that the page needs no inline style. Boxes are links: keyboard and screen readers follow them.
import { Graph, layout } from "./vendor/dagre-3.1.3/dagre.esm.js";

const SVG = "http://www.w3.org/2000/svg";
const STEP = 1.25;
const SMALLEST = 0.3, READABLE = 0.7, LARGEST = 3;

const make = (name, attributes = {}, parent = null) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
};

const place = document.querySelector("[data-picture]");
if (place) {
  document.getElementById("picture-section").hidden = false;
  draw(place, JSON.parse(place.dataset.picture));
}

function draw(place, { nodes, edges }) {
  const svg = make("svg", { role: "group", "aria-label": place.dataset.label, class: "graph" });
  place.append(svg);
  const ruler = make("text", { class: "name" }, svg);
  const width = (words) => {
    ruler.textContent = words;
    return ruler.getComputedTextLength();
  };
  const graph = new Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 12, ranksep: 56, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  nodes.forEach((node, number) => {
    const lines = node.kind === "transform" ? [node.label] : [node.label, node.of];
    graph.setNode(String(number), { width: Math.max(...lines.map(width)) + 24, height: lines.length > 1 ? 42 : 26 });
  });
  edges.forEach((edge, number) => {
    edge.width = edge.label ? width(edge.label) + 8 : 0;
    const label = edge.label ? { width: edge.width, height: 18, labelpos: "c" } : {};
    graph.setEdge(String(edge.from), String(edge.to), label, String(number));
  });
  layout(graph);
  ruler.remove();

  const size = graph.graph();
  svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
  const marker = make("marker", { id: "arrow", viewBox: "0 0 8 8", refX: 8, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, make("defs", {}, svg));
  make("path", { d: "M0 0 L8 4 L0 8 z", class: "arrow" }, marker);
  // From the right side of a box to the left side of the next.
  const route = (edge, number) => {
    const { points, x, y } = graph.edge(String(edge.from), String(edge.to), String(number));
    const from = graph.node(String(edge.from)), to = graph.node(String(edge.to));
    const ends = [{ x: from.x + from.width / 2, y: from.y }, { x: to.x - to.width / 2, y: to.y }];
    return { points: [ends[0], ...points.slice(1, -1), ends[1]], x, y };
  };
  const paths = edges.map((edge, number) => line(svg, edge, route(edge, number)));
  const labels = edges.map((edge, number) => through(svg, edge, route(edge, number)));
  // From left to right, as Tab goes through them.
  const places = nodes.map((node, number) => ({ node, number, at: graph.node(String(number)) }));
  const boxes = [];
  for (const { node, number, at } of places.sort((one, other) => one.at.x - other.at.x || one.at.y - other.at.y)) {
    boxes[number] = box(svg, node, at);
  }
  light(svg, boxes, [paths, labels], edges);
  zoom(place, svg, size, boxes[nodes.findIndex((node) => node.focus)]);
  find(place, boxes, nodes);
}

function line(svg, edge, { points }) {
  const group = make("g", { class: edge.condition ? "line condition" : "line" }, svg);
  const [first, ...others] = points;
  const path = others.map((point, at) => {
    const before = points[at];
    const middle = (before.x + point.x) / 2;
    return `C${middle} ${before.y} ${middle} ${point.y} ${point.x} ${point.y}`;
  });
  make("path", { d: `M${first.x} ${first.y} ${path.join(" ")}`, "marker-end": "url(#arrow)" }, group);
  return group;
}

// How the value goes along a line; above all lines, so that none crosses the words.
function through(svg, edge, { x, y }) {
  const group = make("g", { class: "line" }, svg);
  if (edge.label) {
    make("rect", { x: x - edge.width / 2, y: y - 9, width: edge.width, height: 18, class: "plate" }, group);
    make("text", { x, y: y + 4, class: "through" }, group).textContent = edge.label;
  }
  return group;
}

function box(svg, node, { x, y, width, height }) {
  const parent = node.href ? make("a", { href: node.href, "aria-label": `${node.label}, ${node.of}` }, svg) : svg;
  const group = make("g", { class: `box ${node.kind}${node.focus ? " focus" : ""}`, transform: `translate(${x - width / 2} ${y - height / 2})` }, parent);
  make("rect", { width, height, rx: node.kind === "transform" ? height / 2 : 5 }, group);
  make("text", { x: width / 2, y: 17, class: "name" }, group).textContent = node.label;
  if (node.kind !== "transform") make("text", { x: width / 2, y: 33, class: "of" }, group).textContent = node.of;
  return group;
}

// What a box is connected with stands out while it is pointed at.
function light(svg, boxes, layers, edges) {
  boxes.forEach((box, number) => {
    const link = box.parentNode === svg ? box : box.parentNode;
    const near = reached(number, edges);
    const on = () => {
      svg.classList.add("lit");
      boxes.forEach((each, at) => each.classList.toggle("near", near.boxes.has(at)));
      for (const layer of layers) layer.forEach((each, at) => each.classList.toggle("near", near.lines.has(at)));
    };
    const off = () => svg.classList.remove("lit");
    link.addEventListener("mouseenter", on);
    link.addEventListener("mouseleave", off);
    if (link === box) return; // no link: listening for the focus would let Tab stop there
    link.addEventListener("focus", on);
    link.addEventListener("blur", off);
  });
}

function reached(start, edges) {
  const found = { boxes: new Set([start]), lines: new Set() };
  for (const [near, far] of [["from", "to"], ["to", "from"]]) {
    const waiting = [start];
    while (waiting.length) {
      const here = waiting.pop();
      edges.forEach((edge, at) => {
        if (edge[near] !== here) return;
        found.lines.add(at);
        if (!found.boxes.has(edge[far])) waiting.push(edge[far]);
        found.boxes.add(edge[far]);
      });
    }
  }
  return found;
}

// The picture is scrolled as any wide table is; its size in pixels is what zooming changes.
function zoom(place, svg, size, focus) {
  const fitting = () => Math.min(1, (place.clientWidth - 2) / size.width);
  let scale;
  const set = (wanted) => {
    const centre = (place.scrollLeft + place.clientWidth / 2) / (svg.clientWidth || 1);
    scale = Math.min(LARGEST, Math.max(SMALLEST, wanted));
    svg.setAttribute("width", Math.round(size.width * scale));
    svg.setAttribute("height", Math.round(size.height * scale));
    place.scrollLeft = centre * svg.clientWidth - place.clientWidth / 2;
  };
  set(Math.max(READABLE, fitting()));
  centred(place, focus);
  const zooms = { in: () => set(scale * STEP), out: () => set(scale / STEP), fit: () => set(fitting()) };
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", zooms[button.dataset.zoom]);
  }
  place.addEventListener("keydown", ({ key }) => {
    if (key === "+" || key === "=") zooms.in();
    if (key === "-") zooms.out();
    if (key === "0") zooms.fit();
  });
}

function centred(place, box) {
  if (!box) return;
  const inside = place.getBoundingClientRect(), at = box.getBoundingClientRect();
  place.scrollLeft += at.left + at.width / 2 - inside.left - inside.width / 2;
  place.scrollTop += at.top + at.height / 2 - inside.top - inside.height / 2;
}

function find(place, boxes, nodes) {
  const field = document.querySelector("[data-find]");
  const told = document.querySelector("[data-found]");
  field.addEventListener("input", () => {
    const words = field.value.trim().toLowerCase();
    const found = boxes.filter((box, number) => {
      const is = words !== "" && `${nodes[number].of} ${nodes[number].label}`.toLowerCase().includes(words);
      box.classList.toggle("found", is);
      return is;
    });
    told.textContent = words === "" ? "" : `${found.length} found`;
    centred(place, found[0]);
  });
}
