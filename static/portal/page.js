/* What every module asks of the page: its words, its live region, its notices, its fields. */

export const root = document.documentElement;
export const say = (key) => document.body.dataset[`say${key}`] || "";

export function announce(text) {
  const live = document.getElementById("announce");
  if (live && text) live.textContent = text;
}

export function focusField(hash) {
  const field = document.getElementById(hash.slice(1));
  if (!field) return false;
  field.closest("details:not([open])")?.setAttribute("open", "");
  if (!field.matches("a, button, input, select, textarea, [tabindex]")) field.tabIndex = -1;
  field.focus();
  field.scrollIntoView({ block: "center" });
  return true;
}

export function complain(title, text) {
  const place = document.querySelector(".modal.show .modal-body") || document.getElementById("notices");
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
