/* Filter panels are <details>: f opens the first and enters it, Esc and a click beside it close. */

const PANELS = "details.filter-more, details.chip-more";

export function openFilter() {
  const panel = document.querySelector(PANELS);
  if (!panel) return;
  panel.open = true;
  panel.querySelector("input:not([type=hidden]), select")?.focus();
}

export function closePanels(inside) {
  const open = [...document.querySelectorAll(PANELS)].filter((panel) => panel.open);
  open.forEach((panel) => { panel.open = false; });
  if (open.includes(inside)) inside.querySelector("summary").focus();
  return open.length > 0;
}
document.addEventListener("click", (event) => {
  if (!event.target.closest(PANELS)) closePanels();
});
