// What every page needs and Datasette's own templates lack. Nothing here is needed to read a page.

document.documentElement.lang = "en";
document.querySelector("section.content")?.setAttribute("role", "main");

// The texts of all columns come before the rows; folded away they leave the first screen to the data.
for (const list of document.querySelectorAll("dl.column-descriptions")) {
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.textContent = `What the ${list.querySelectorAll("dt").length} columns mean`;
  details.className = "tta-columns";
  list.replaceWith(details);
  details.append(summary, list);
}

// A mark of a chart shows its figure at once, where the browser's own tooltip waits for a second.
const tip = document.createElement("div");
tip.className = "tta-tip";
tip.hidden = true;
tip.setAttribute("aria-hidden", "true"); // the link has the same text as its name
document.body.append(tip);
for (const picture of document.querySelectorAll(".tta-picture")) {
  const show = (event) => {
    const mark = event.target.closest("a");
    tip.hidden = !mark;
    if (!mark) return;
    mark.querySelector("title")?.remove();
    tip.textContent = mark.getAttribute("aria-label");
    const box = mark.getBoundingClientRect();
    const left = Math.min(box.left + box.width / 2, innerWidth - tip.offsetWidth - 8);
    tip.style.left = `${Math.max(8, left)}px`;
    tip.style.top = `${Math.max(8, box.top - tip.offsetHeight - 6)}px`;
  };
  for (const name of ["pointerover", "focusin"]) picture.addEventListener(name, show);
  for (const name of ["pointerleave", "focusout"]) picture.addEventListener(name, () => { tip.hidden = true; });
}

// Of a chart that is wider than the screen the latest part is shown first.
for (const picture of document.querySelectorAll("[data-latest]")) picture.parentElement.scrollLeft = picture.parentElement.scrollWidth;

// The server makes the SVG file, the browser a PNG of it.
for (const link of document.querySelectorAll("a[data-png]")) {
  const png = document.createElement("a");
  png.href = link.href;
  png.textContent = "Download PNG";
  png.addEventListener("click", async (event) => {
    event.preventDefault();
    const image = new Image();
    image.src = link.href;
    await image.decode();
    const canvas = document.createElement("canvas");
    canvas.width = 2 * image.naturalWidth;
    canvas.height = 2 * image.naturalHeight;
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const file = document.createElement("a");
    file.href = canvas.toDataURL("image/png");
    file.download = `${link.dataset.png}.png`;
    file.click();
  });
  link.after(png);
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const { copy } = button.dataset;
    await navigator.clipboard.writeText(copy ? document.querySelector(copy).textContent : location.href.split("#")[0]);
    button.textContent = "Copied";
  });
}
