/* Charts: <div class="chart" data-figure="URL#key">. The URL answers { key: { data, layout } }.
   A figure's colours are var(--token): they are looked up here, so one figure serves both themes. */

import { say } from "./page.js";

const files = new Map();
function fetchJson(url) {
  if (!files.has(url)) {
    const loading = fetch(url, { headers: { Accept: "application/json" } }).then((answer) => {
      if (!answer.ok) throw new Error(`${answer.status}`);
      return answer.json();
    });
    files.set(url, loading);
    loading.catch(() => files.delete(url));
  }
  return files.get(url);
}

function resolveColours(node, probe) {
  if (typeof node === "string" && node.startsWith("var(--")) {
    probe.style.color = node;
    return getComputedStyle(probe).color;
  }
  if (Array.isArray(node)) return node.map((n) => resolveColours(n, probe));
  if (node && typeof node === "object") {
    return Object.fromEntries(Object.entries(node).map(([k, v]) => [k, resolveColours(v, probe)]));
  }
  return node;
}

// Where names beside the rows leave no room, the figure says how it is laid out instead.
const NARROW = 480;
function laidOut(layout, width) {
  return width < NARROW && layout.meta?.narrow ? { ...layout, ...layout.meta.narrow } : layout;
}

export async function drawCharts(within, again = false) {
  const charts = [...within.querySelectorAll("[data-figure]")];
  if (within.matches?.("[data-figure]")) charts.push(within);
  if (!charts.length || !window.Plotly) return;
  await document.fonts.ready;
  const probe = document.body.appendChild(document.createElement("i"));
  probe.hidden = true;
  for (const box of charts) {
    const drawn = box.dataset.drawn;
    if (drawn && !again) continue;
    box.dataset.drawn = "yes"; // before the first await: two events may wake the same page
    const [url, key] = box.dataset.figure.split("#");
    let figure;
    try {
      const found = await fetchJson(url);
      figure = resolveColours(key ? found[key] : found, probe);
    } catch {
      delete box.dataset.drawn;
      box.textContent = say("Offline");
      continue;
    }
    if (!figure || !box.isConnected) continue;
    figure.layout = laidOut(figure.layout, box.clientWidth);
    if (drawn) {
      await Plotly.react(box, figure.data, figure.layout); // newPlot would drop the click handler
      continue;
    }
    box.replaceChildren();
    await Plotly.newPlot(box, figure.data, figure.layout, { displayModeBar: false, responsive: true });
    // A point, bar or cell opens the invoices that add up to it.
    box.on("plotly_click", ({ points }) => points[0].customdata && location.assign([points[0].customdata].flat()[0]));
  }
  probe.remove();
}

document.addEventListener("themechange", () => drawCharts(document, true));
