// portal.js — loaded in <head> without defer, so that the theme is set before the first paint.
// Everything here only helps: each page works as links and forms without it.
"use strict";

const root = document.documentElement;
const say = (key) => document.body.dataset[`say${key}`] || "";

/* Theme: "light", "dark" or nothing (follow the system). A browser may forbid the store. */
const store = (() => {
  try { return localStorage; } catch { return { getItem: () => null, setItem: () => {} }; }
})();
const system = matchMedia("(prefers-color-scheme: dark)");
function applyTheme(choice) {
  root.dataset.bsTheme = choice || (system.matches ? "dark" : "light");
}
applyTheme(store.getItem("theme"));
system.addEventListener("change", () => { applyTheme(store.getItem("theme")); drawCharts(document, true); });

/* Charts: <div class="chart" data-figure="URL#key">. The URL answers { key: { data, layout } }.
   A figure's colours are var(--token): they are looked up here, so one figure serves both themes. */
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

async function drawCharts(within, again = false) {
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

/* Lists: selection with its sum, shift-click ranges, a cursor for the keyboard. */
function listOf(element) { return element.closest("[data-list]"); }
function refreshSelection(list) {
  const all = [...list.querySelectorAll(".row-check")];
  const chosen = all.filter((box) => box.checked);
  list.classList.toggle("has-selection", chosen.length > 0);
  const head = list.querySelector(".check-all");
  if (head) {
    head.checked = all.length > 0 && chosen.length === all.length;
    head.indeterminate = chosen.length > 0 && chosen.length < all.length;
  }
  const sums = {};
  for (const box of chosen) {
    if (box.dataset.currency) sums[box.dataset.currency] = (sums[box.dataset.currency] || 0) + Number(box.dataset.minor);
  }
  const locale = root.lang === "fr" ? "fr-FR" : "en-GB";
  const text = Object.entries(sums).map(([currency, minor]) => {
    const written = new Intl.NumberFormat(locale, { style: "currency", currency });
    return written.format(minor / 10 ** written.resolvedOptions().maximumFractionDigits).replace("-", "−");
  });
  const out = list.querySelector("[data-selection]");
  if (out) out.textContent = [out.dataset.selection.replace("%d", chosen.length), ...text].join(" · ");
}

let lastBox = null;
function clickedBox(box, event) {
  if (event.shiftKey && lastBox && listOf(lastBox) === listOf(box)) {
    const all = [...listOf(box).querySelectorAll(".row-check")];
    const [a, b] = [all.indexOf(lastBox), all.indexOf(box)].sort((x, y) => x - y);
    all.slice(a, b + 1).forEach((other) => { other.checked = box.checked; });
  }
  lastBox = box;
  refreshSelection(listOf(box));
}

document.addEventListener("click", (event) => {
  const box = event.target.closest(".row-check");
  if (box) return clickedBox(box, event);
  const head = event.target.closest(".check-all, [data-clear-selection]");
  if (head) {
    const list = listOf(head);
    list.querySelectorAll(".row-check").forEach((other) => { other.checked = Boolean(head.checked); });
    return refreshSelection(list);
  }
  // A reason in a dialog leads to its field.
  const jump = event.target.closest(".modal a[href^='#']");
  if (jump && jump.hash) {
    event.preventDefault();
    const dialog = jump.closest(".modal");
    dialog.addEventListener("hidden.bs.modal", () => focusField(jump.hash), { once: true });
    return tabler.Modal.getInstance(dialog).hide();
  }
  const reason = event.target.closest(".step[href^='#'], .alert a[href^='#']");
  if (reason && reason.hash && focusField(reason.hash)) return event.preventDefault();
  if (event.target.closest("[data-set-theme]")) {
    const choice = root.dataset.bsTheme === "dark" ? "light" : "dark";
    store.setItem("theme", choice);
    applyTheme(choice);
    return drawCharts(document, true);
  }
  if (event.target.closest("[data-print]")) return print();
  // An example sign-in fills the form: data-fill='{"id_login": "…"}'.
  const example = event.target.closest("[data-fill]");
  if (example) {
    event.preventDefault();
    let form = null;
    for (const [id, value] of Object.entries(JSON.parse(example.dataset.fill))) {
      const field = document.getElementById(id);
      if (field) { field.value = value; form = field.form; }
    }
    return form?.querySelector("[type=submit]")?.focus();
  }
  const copy = event.target.closest("[data-copy]");
  if (copy) return void navigator.clipboard?.writeText(copy.dataset.copy).then(() => announce(say("Copied")));
  // The whole row is a target for the mouse; the link in it is the one for everybody else.
  const row = event.target.closest("[data-list] tbody tr");
  if (row && !event.target.closest("a, button, input, label, select, summary") && !String(getSelection())) {
    const link = row.querySelector(".row-link");
    if (link && (event.ctrlKey || event.metaKey)) return void open(link.href, "_blank", "noopener");
    link?.click();
  }
});

function focusField(hash) {
  const field = document.getElementById(hash.slice(1));
  if (!field) return false;
  field.closest("details:not([open])")?.setAttribute("open", "");
  if (!field.matches("a, button, input, select, textarea, [tabindex]")) field.tabIndex = -1;
  field.focus();
  field.scrollIntoView({ block: "center" });
  return true;
}

function moveCursor(step) {
  // A list has its rows; a page without one (desk, search) has its worklists.
  const linkOf = (row) => [...row.querySelectorAll(".row-link, .what a")].find((link) => link.offsetParent);
  const lists = document.querySelectorAll("[data-list] tbody tr");
  const rows = [...(lists.length ? lists : document.querySelectorAll(".work > li"))].filter(linkOf);
  if (!rows.length) return;
  const now = rows.findIndex((row) => row.classList.contains("is-cursor"));
  const next = rows[Math.min(rows.length - 1, Math.max(0, now + step))];
  rows[now]?.classList.remove("is-cursor");
  next.classList.add("is-cursor");
  linkOf(next).focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

/* Filter panels are <details>: f opens the first and enters it, Esc and a click beside it close. */
const PANELS = "details.filter-more, details.chip-more";

function openFilter() {
  const panel = document.querySelector(PANELS);
  if (!panel) return;
  panel.open = true;
  panel.querySelector("input:not([type=hidden]), select")?.focus();
}

function closePanels(inside) {
  const open = [...document.querySelectorAll(PANELS)].filter((panel) => panel.open);
  open.forEach((panel) => { panel.open = false; });
  if (open.includes(inside)) inside.querySelector("summary").focus();
  return open.length > 0;
}
document.addEventListener("click", (event) => {
  if (!event.target.closest(PANELS)) closePanels();
});

function announce(text) {
  const live = document.getElementById("announce");
  if (live && text) live.textContent = text;
}

/* Keys. Off in a field; the reader can switch them off altogether (data-shortcuts="off").
   Where "g d" leads is on <html>: data-go-d="/". */
let waitingForGo = 0;
document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") return event.target.form?.requestSubmit();
  if (lineEditorKey(event)) return;
  const field = event.target.closest?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
  if (event.key === "Escape" && closePanels(event.target.closest?.("details"))) return;
  if (field) { if (event.key === "Escape") field.blur(); return; }
  if (root.dataset.shortcuts === "off" || event.ctrlKey || event.metaKey || event.altKey) return;
  const place = /^[a-z]$/.test(event.key) && root.dataset[`go${event.key.toUpperCase()}`];
  if (Date.now() - waitingForGo < 900 && place) return location.assign(place);
  if (document.querySelector(".modal.show, .offcanvas.show")) return;
  const act = {
    "/": () => document.getElementById("global-search")?.select(),
    "?": () => tabler.Modal.getOrCreateInstance("#keys").show(),
    g: () => { waitingForGo = Date.now(); },
    j: () => moveCursor(1),
    k: () => moveCursor(-1),
    x: () => document.querySelector(".is-cursor .row-check")?.click(),
    f: openFilter,
    c: () => document.querySelector("[data-primary]")?.click(),
  }[event.key];
  if (act) { event.preventDefault(); act(); }
});

/* Line editor: table.lines-grid, one row per line, fields named lines-N-word.
   Enter goes to the same field of the next line and adds one at the end ([data-add-line] in the form);
   Shift + Enter is a line break in a description; Alt + ↑ ↓ moves the line, Alt + Delete removes it.
   [data-remove-line] is its button, .grip its handle. Lines are numbered again in their order. */
const rowsOf = (table) => [...table.tBodies[0].rows].filter((row) => !row.hidden);

function lineEditorKey(event) {
  const row = event.target.closest?.("table.lines-grid tbody tr");
  if (!row) return false;
  const table = row.closest("table");
  const onGrip = event.target.closest(".grip");
  const act =
    (event.altKey || onGrip) && event.key === "ArrowUp" ? () => moveLine(row, -1)
    : (event.altKey || onGrip) && event.key === "ArrowDown" ? () => moveLine(row, 1)
    : event.altKey && event.key === "Delete" ? () => removeLine(row)
    : event.key === "Enter" && !event.shiftKey && !event.altKey && event.target.matches("input, textarea") ? () => nextLine(table, row, event.target)
    : null;
  if (!act) return false;
  event.preventDefault();
  act();
  return true;
}

function nextLine(table, row, field) {
  const rows = rowsOf(table);
  const next = rows[rows.indexOf(row) + 1];
  const word = field.name.replace(/^lines-\d+-/, "");
  if (next) return next.querySelector(`[name$="-${word}"]`)?.focus();
  addLine(table);
}

function addLine(table) {
  const form = table.closest("form") || document;
  const button = form.querySelector("[data-add-line]");
  const template = form.querySelector("template[data-line]");
  if (!template) return button?.click(); // the server sends the row; it is focused when it arrives
  const row = template.content.firstElementChild.cloneNode(true);
  table.tBodies[0].append(row);
  renumber(table);
  window.htmx?.process(row);
  focusLine(row);
}

function focusLine(row) { row?.querySelector("textarea, input:not([type=hidden])")?.focus(); }

function moveLine(row, step) {
  const table = row.closest("table");
  const rows = rowsOf(table);
  const other = rows[rows.indexOf(row) + step];
  if (!other) return;
  const focused = document.activeElement;
  other[step < 0 ? "before" : "after"](row);
  renumber(table);
  focused?.focus();
  announce(say("Moved").replace("%d", rowsOf(table).indexOf(row) + 1));
}

function removeLine(row) {
  const table = row.closest("table");
  const rows = rowsOf(table);
  const at = rows.indexOf(row);
  const gone = row.querySelector('[name$="-DELETE"]');
  if (gone) {
    gone.type === "checkbox" ? (gone.checked = true) : (gone.value = "on");
    row.hidden = true;
  } else row.remove();
  renumber(table);
  const left = rowsOf(table);
  if (left.length) focusLine(left[Math.min(at, left.length - 1)]);
  else addLine(table);
  announce(say("Removed").replace("%d", at + 1));
}

function renumber(table) {
  [...table.tBodies[0].rows].forEach((row, n) => {
    for (const part of row.querySelectorAll("[name], [id], [for], [aria-describedby]")) {
      for (const name of ["name", "id", "for", "aria-describedby"]) {
        const value = part.getAttribute(name);
        if (value) part.setAttribute(name, value.replace(/lines-(\d+|__prefix__)-/g, `lines-${n}-`));
      }
      if (/^lines-\d+-(ORDER|position)$/.test(part.name || "")) part.value = n + 1;
    }
    for (const part of row.querySelectorAll("[aria-label]")) {
      part.setAttribute("aria-label", part.getAttribute("aria-label").replace(/(\d+|__number__)(?!.*\d)/, n + 1));
    }
  });
  const total = (table.closest("form") || document).querySelector('[name="lines-TOTAL_FORMS"]');
  if (total) total.value = table.tBodies[0].rows.length;
  table.tBodies[0].dispatchEvent(new Event("input", { bubbles: true }));
}

document.addEventListener("click", (event) => {
  const remove = event.target.closest("[data-remove-line]");
  if (remove) { event.preventDefault(); return removeLine(remove.closest("tr")); }
  const add = event.target.closest("[data-add-line]");
  const form = add?.closest("form") || document;
  if (add && form.querySelector("template[data-line]")) {
    event.preventDefault();
    addLine(form.querySelector("table.lines-grid"));
  }
});

let dragged = null;
document.addEventListener("pointerdown", (event) => {
  const grip = event.target.closest(".lines-grid .grip");
  if (!grip || event.button !== 0) return;
  dragged = grip.closest("tr");
  grip.setPointerCapture?.(event.pointerId);
});
document.addEventListener("pointermove", (event) => {
  if (!dragged) return;
  const over = document.elementFromPoint(event.clientX, event.clientY)?.closest("tr");
  if (!over || over === dragged || over.parentNode !== dragged.parentNode) return;
  const box = over.getBoundingClientRect();
  over[event.clientY < box.top + box.height / 2 ? "before" : "after"](dragged);
});
document.addEventListener("pointerup", () => {
  if (dragged) renumber(dragged.closest("table"));
  dragged = null;
});

/* Once: a form that is on its way cannot be sent again; the key in it makes a double click one act. */
function busy(form, on) {
  if (!form) return;
  form.toggleAttribute("data-sending", on);
  on ? form.setAttribute("aria-busy", "true") : form.removeAttribute("aria-busy");
  const buttons = [...form.querySelectorAll("[type=submit]")];
  if (form.id) buttons.push(...document.querySelectorAll(`[type=submit][form="${CSS.escape(form.id)}"]`));
  buttons.forEach((button) => { button.disabled = on; });
}
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || form.hasAttribute("data-resubmits")) return;
  if (form.hasAttribute("data-sending")) return event.preventDefault();
  if (form.closest("[hx-post], [hx-put], [hx-patch], [hx-delete]") === form) return; // htmx says when
  // After the browser has read the form, or the pressed button would be missing from it.
  setTimeout(() => { if (!event.defaultPrevented) busy(form, true); });
});
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("form[data-sending]").forEach((form) => busy(form, false));
});
document.addEventListener("change", (event) => {
  if (event.target.closest("form[data-autosubmit]")) event.target.form.requestSubmit();
});

/* A draft is kept as it is typed: form[data-keeps] is sent to its own address with act=keep some
   moments after the last key, before a link leads away, and when the page is left. What comes back
   are pieces with the ids that they replace. After “somebody saved in between” it rests. */
const keeping = { timer: 0, dirty: false, resting: false, running: null };
const keptForm = () => document.querySelector("form[data-keeps]");
const SAFE_BODY = 60000; // what a browser still sends of a page that is gone

function keptBody(form) {
  const body = new URLSearchParams(new FormData(form));
  body.set("act", "keep");
  return body;
}
function replacePieces(html) {
  for (const piece of [...new DOMParser().parseFromString(html, "text/html").body.children]) {
    document.getElementById(piece.id)?.replaceWith(piece);
    window.htmx?.process(piece); // a button outside its form is only heard when htmx knows it
  }
}
async function keepDraft() {
  clearTimeout(keeping.timer);
  if (keeping.running) await keeping.running;
  const form = keptForm();
  if (!form || !keeping.dirty || keeping.resting) return !keeping.dirty;
  keeping.dirty = false;
  keeping.running = fetch(form.action, { method: "POST", body: keptBody(form), headers: { "HX-Request": "true" } })
    .then(async (answer) => {
      if (answer.redirected || answer.headers.has("HX-Redirect") || !(answer.ok || answer.status === 409)) throw new Error(answer.status);
      keeping.resting = answer.status === 409;
      replacePieces(await answer.text());
      if (keeping.resting) keeping.dirty = true;
      document.getElementById("complaint")?.remove();
      return answer.ok;
    })
    .catch(() => {
      keeping.dirty = true;
      complain(say("OfflineTitle"), say("Offline"));
      return false;
    })
    .finally(() => { keeping.running = null; });
  return keeping.running;
}
document.addEventListener("input", (event) => {
  if (!event.target.closest?.("form[data-keeps]")) return;
  keeping.dirty = true;
  clearTimeout(keeping.timer);
  keeping.timer = setTimeout(keepDraft, 1200);
});
document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (target.id !== "editor" && !target.querySelector?.("form[data-keeps]")) return;
  // The server has answered with the whole editor: what is wrong with it stands there.
  Object.assign(keeping, { dirty: Boolean(document.querySelector("#editor .is-invalid, #editor .alert-danger")), resting: false });
  clearTimeout(keeping.timer);
});
// A button with an address of its own (the PDF in a new tab) is the browser's business, not htmx's.
document.addEventListener("submit", (event) => {
  if (event.submitter?.hasAttribute("data-native")) event.stopImmediatePropagation();
}, true);
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[href]");
  if (!link || !keeping.dirty || keeping.resting || event.defaultPrevented) return;
  if (link.target || link.hasAttribute("hx-get") || link.hash || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  if (await keepDraft()) location.assign(link.href);
});
addEventListener("pagehide", () => {
  const form = keptForm();
  if (!form || !keeping.dirty || keeping.resting) return;
  const body = keptBody(form);
  if (String(body).length < SAFE_BODY) fetch(form.action, { method: "POST", body, keepalive: true, headers: { "HX-Request": "true" } });
});
addEventListener("beforeunload", (event) => {
  const form = keptForm();
  if (form && keeping.dirty && (keeping.resting || document.getElementById("complaint") || String(keptBody(form)).length >= SAFE_BODY)) event.preventDefault();
});
// Fields that cannot be read turn red at once.
document.addEventListener("htmx:afterSettle", () => {
  const wrong = document.getElementById("wrong-fields")?.dataset.names;
  if (wrong === undefined || !document.activeElement?.closest?.("form[data-keeps]")) return;
  const names = new Set(wrong.split(" "));
  for (const field of keptForm().elements) {
    if (!field.name || field.type === "hidden") continue;
    field.classList.toggle("is-invalid", names.has(field.name));
    names.has(field.name) ? field.setAttribute("aria-invalid", "true") : field.removeAttribute("aria-invalid");
  }
});

/* htmx */
const sendingForm = (elt) => (elt?.matches?.("form") && elt.method === "post" ? elt : null);
// An address to be shared names what is filtered, not every field that stayed empty.
const FILTERS = ".filter-form, .chip-panel";
document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (!detail.elt.matches(FILTERS)) return;
  for (const [name, value] of [...detail.formData.entries()]) if (value === "") detail.formData.delete(name);
});
document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, requestConfig } = event.detail;
  // Polling rests in a tab that nobody sees.
  const polls = /\bevery\b/.test(elt.getAttribute("hx-trigger") || "");
  if (polls && document.hidden && !requestConfig.triggeringEvent) return event.preventDefault();
  busy(sendingForm(elt), true);
});
// The form itself may have been swapped away: then the event comes from what is left around it.
document.addEventListener("htmx:afterRequest", ({ detail }) => busy(sendingForm(detail.requestConfig?.elt || detail.elt), false));

function complain(title, text) {
  const place = document.querySelector(".modal.show .modal-body, .offcanvas.show .offcanvas-body") || document.getElementById("notices");
  if (!place) return;
  document.getElementById("complaint")?.remove();
  const box = document.createElement("div");
  box.className = "alert alert-danger";
  box.id = "complaint";
  box.setAttribute("role", "alert");
  const words = document.createElement("span");
  const strong = document.createElement("b");
  strong.textContent = title;
  words.append(strong, " ", text);
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-close ms-auto";
  close.setAttribute("aria-label", say("Close"));
  close.addEventListener("click", () => box.remove());
  box.append(words, close);
  place.prepend(box);
  box.scrollIntoView({ block: "nearest" });
}
const quiet = (detail) => /\b(load|every)\b/.test(detail.elt?.getAttribute?.("hx-trigger") || "");
const offline = ({ detail }) => { if (!quiet(detail)) complain(say("OfflineTitle"), say("Offline")); };
document.addEventListener("htmx:sendError", offline);
document.addEventListener("htmx:timeout", offline);
document.addEventListener("htmx:responseError", ({ detail }) => {
  if (quiet(detail)) return;
  const status = detail.xhr.status;
  const text = status === 403 ? say("Refused") : status === 404 || status === 409 ? say("Gone") : say("Failed");
  complain("", text);
});
document.addEventListener("htmx:beforeSwap", () => document.getElementById("complaint")?.remove());

/* What the server sends: a dialog into #dialog, a drawer into #drawer, toasts appended to #toasts. */
const overlayKind = { dialog: "modal", drawer: "offcanvas" };
const overlayClass = (kind) => (kind === "modal" ? tabler.Modal : tabler.Offcanvas);
document.addEventListener("htmx:afterSwap", ({ target, detail }) => {
  const kind = overlayKind[target.id];
  if (!kind || !target.firstElementChild) return;
  const first = () => (target.querySelector("[data-focus], [autofocus], .is-invalid") || target.querySelector(".modal-title, .offcanvas-title"))?.focus();
  if (target.classList.contains("show")) return first();
  // The button that was pressed, for the form around it may be gone when the dialog closes.
  const opener = [detail.requestConfig.triggeringEvent?.submitter, detail.requestConfig.elt].find((one) => one?.isConnected) || detail.requestConfig.elt;
  target.addEventListener(`shown.bs.${kind}`, first, { once: true });
  target.addEventListener(`hidden.bs.${kind}`, () => {
    target.replaceChildren();
    (opener.isConnected ? opener : document.getElementById("main")).focus();
  }, { once: true });
  overlayClass(kind).getOrCreateInstance(target).show();
});
// The server says that the work of the dialog is done (toasts.close_overlays).
document.addEventListener("close-overlays", () => {
  for (const [id, kind] of Object.entries(overlayKind)) {
    overlayClass(kind).getInstance(document.getElementById(id))?.hide();
  }
});
document.addEventListener("htmx:afterSettle", ({ target, detail }) => {
  const source = detail.requestConfig?.elt;
  if (source?.hasAttribute?.("data-focus-first")) {
    const list = document.getElementById(target.id) || target;
    list.querySelector(".row-link")?.focus({ preventScroll: true });
    list.scrollIntoView({ block: "start" });
  }
  if (source?.hasAttribute?.("data-filter-load")) openFilter();
  if (source?.matches?.(FILTERS)) {
    const list = document.getElementById(target.id) || target;
    list.querySelector(":is(.filter-more, .chip-more) > summary")?.focus({ preventScroll: true });
  }
  if (source?.hasAttribute?.("data-add-line")) {
    focusLine(document.querySelector("table.lines-grid tbody tr:last-child"));
  }
});

function wake(within) {
  const lists = [...within.querySelectorAll("[data-list]")];
  if (within.matches?.("[data-list]")) lists.push(within);
  lists.forEach(refreshSelection);
  within.querySelectorAll("[data-indeterminate]").forEach((box) => { box.indeterminate = true; });
  // A box that scrolls sideways must be reachable by keyboard; one that does not must not be a stop.
  within.querySelectorAll(".scroll-x").forEach((box) => {
    if (box.scrollWidth <= box.clientWidth) return;
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", box.querySelector("caption, h2, h3")?.textContent || say("Scrolls"));
  });
  within.querySelectorAll(".tabs").forEach((tabs) => {
    const now = tabs.querySelector("[aria-current]");
    if (now && now.offsetLeft + now.offsetWidth > tabs.clientWidth) tabs.scrollLeft = now.offsetLeft - 16;
  });
  const toasts = [...within.querySelectorAll(".toast")];
  if (within.matches?.(".toast")) toasts.push(within);
  toasts.forEach((toast) => {
    toast.addEventListener("hidden.bs.toast", () => toast.remove(), { once: true });
    tabler.Toast.getOrCreateInstance(toast, { delay: 6000 }).show();
  });
  if (within.nodeType === Node.DOCUMENT_NODE) within.querySelector("[data-focus]")?.focus();
  drawCharts(within);
}
document.addEventListener("DOMContentLoaded", () => wake(document));
document.addEventListener("htmx:load", (event) => { if (event.target !== document.body) wake(event.target); });
