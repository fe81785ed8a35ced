/* The page beside the editor: drawn anew some moments after the last key, while it can be seen.
   [data-page-preview] hears “page-changed”; an answer “page-busy” asks to try again. */

const WAIT = 900;
const preview = { timer: 0 };
const place = () => document.querySelector("[data-page-preview]");

function drawSoon(wait = WAIT) {
  clearTimeout(preview.timer);
  const there = place();
  // Not shown on narrow screens: nothing is asked for then.
  if (!there || !there.offsetParent) return;
  preview.timer = setTimeout(() => window.htmx?.trigger(there, "page-changed"), wait);
}

document.addEventListener("input", ({ target }) => {
  if (target.closest?.("form[data-keeps]")) drawSoon();
});
document.addEventListener("page-busy", () => drawSoon(WAIT * 2));
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id === "editor" || target.querySelector?.("#page-preview")) drawSoon(150);
});
addEventListener("load", () => drawSoon(150));

// [data-page-toggle]: on middling screens the page stands beside the lines in place of the menu.
const root = document.documentElement;
function placeBeside(beside) {
  root.toggleAttribute("data-page-beside", beside);
  for (const button of document.querySelectorAll("[data-page-toggle]")) button.setAttribute("aria-pressed", beside);
}
const store = (() => {
  try { return localStorage; } catch { return null; }
})();
placeBeside(Boolean(store?.getItem("page-beside")));
document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-page-toggle]")) return;
  const beside = !root.hasAttribute("data-page-beside");
  beside ? store?.setItem("page-beside", "1") : store?.removeItem("page-beside");
  placeBeside(beside);
  if (beside) drawSoon(0);
});
