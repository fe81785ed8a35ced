/* A field that was refused is no longer marked once somebody changes it: what was wrong with it was
   wrong with what stood there before. The draft editor marks its own fields anew with each answer. */

const begun = ({ target }) => {
  if (!target.matches?.(".is-invalid, [aria-invalid]") || target.closest("form[data-keeps]")) return;
  target.classList.remove("is-invalid");
  target.removeAttribute("aria-invalid");
  document.getElementById(`${target.id}-e`)?.remove();
};
document.addEventListener("input", begun);
document.addEventListener("change", begun);
