// Opens on wide screens what phones fold away, closes an open menu when the visitor goes on elsewhere, and keeps addresses short.

for (const fold of document.querySelectorAll("details[data-open-from]")) {
  fold.open = matchMedia(`(min-width: ${fold.dataset.openFrom}px)`).matches;
}

// Datasette closes every open <details> of the page at each click: only menus are to close.
document.querySelector("section.content")?.addEventListener("click", (event) => event.stopPropagation());
const menus = document.querySelectorAll("details.tta-menu, details.nav-menu");
const closeOthers = (kept) => menus.forEach((menu) => menu.contains(kept) || menu.removeAttribute("open"));
document.addEventListener("click", (event) => closeOthers(event.target), { capture: true });
document.addEventListener("keydown", (event) => event.key === "Escape" && closeOthers(null));

// After Back, a browser restores what was chosen last, which is not what the page shows.
addEventListener("pageshow", ({ persisted }) => {
  const isBack = persisted || performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  if (isBack) document.querySelectorAll("form.tta-form").forEach((form) => form.reset());
});

for (const form of document.querySelectorAll("form.tta-form")) {
  form.addEventListener("reset", () => form.querySelector("[role=status]")?.remove());
  // What is chosen takes effect with the button: until then the rows and files below are those of the filters before.
  form.addEventListener("change", () => {
    if (form.querySelector("[role=status]")) return;
    const notice = document.createElement("span");
    notice.setAttribute("role", "status");
    notice.className = "tta-small";
    form.append(notice);
    notice.textContent = "Not applied yet: choose Show.";
  });
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (value === "" && formData.getAll(name).length === 1) formData.delete(name);
  });
}
