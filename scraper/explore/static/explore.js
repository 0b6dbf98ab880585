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

// Datasette's editor of SQL.
for (const heading of document.querySelectorAll("form.sql h3")) heading.setAttribute("aria-level", "2");
addEventListener("load", () => {
  for (const input of document.querySelectorAll(".CodeMirror textarea, .cm-content")) input.setAttribute("aria-label", "SQL");
});

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

// The server makes the SVG file, the browser a PNG of it.
for (const link of location.protocol === "file:" ? [] : document.querySelectorAll("a[data-png]")) { // pictures from a disk can't be read
  const png = document.createElement("a");
  png.href = link.href;
  png.textContent = "Download PNG";
  png.addEventListener("click", async (event) => {
    event.preventDefault();
    const image = new Image();
    image.src = link.href;
    const canvas = document.createElement("canvas");
    const file = document.createElement("a");
    file.download = `${link.dataset.png}.png`;
    try {
      await image.decode();
      canvas.width = 2 * image.naturalWidth;
      canvas.height = 2 * image.naturalHeight;
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      file.href = canvas.toDataURL("image/png");
    } catch {
      const note = document.createElement("span");
      note.setAttribute("role", "status");
      note.textContent = "The browser can't make a PNG here: download the SVG, which every office program can convert.";
      png.replaceWith(note);
      return;
    }
    file.click();
  });
  link.after(png);
}

// Paper has no address bar.
addEventListener("beforeprint", () => {
  const note = document.querySelector(".tta-printed") || document.createElement("p");
  const name = document.querySelector("meta[name=application-name]")?.content;
  const day = new Date().toLocaleDateString("en-US", { year: "numeric", month: "long", day: "numeric" });
  note.className = "tta-printed";
  note.textContent = `${name}: ${document.title}. Printed on ${day} from ${location.href}`;
  (document.querySelector("figure.tta-figure") || document.querySelector("section.content"))?.append(note); // not alone on a page
});

// A record's page: its contents, and buttons and BibTeX for its citation.
const citation = document.querySelector("#citation");
if (citation) {
  const contents = document.createElement("nav");
  contents.className = "tta-toc";
  contents.setAttribute("aria-label", "On this page");
  for (const [index, heading] of document.querySelectorAll("article h2").entries()) {
    heading.id ||= `section-${index}`;
    const link = document.createElement("a");
    link.href = `#${heading.id}`;
    link.textContent = heading.firstChild.textContent.replace(" Markup", "").trim();
    contents.append(link, " ");
  }
  document.querySelector(".tta-facts").before(contents);

  const { name, identifier, sameAs, dateCreated } = JSON.parse(document.querySelector("[type='application/ld+json']").textContent);
  const id = identifier.at(-1);
  const [, note, seen] = citation.textContent.match(/\.” (TTA record .+?, as captured (\d{4})?.*?)\. /);
  const bibtex = document.createElement("details");
  bibtex.className = "tta-cite";
  bibtex.append(document.createElement("summary"), document.createElement("pre"));
  bibtex.firstChild.textContent = "BibTeX";
  bibtex.lastChild.textContent = `@misc{tta-${id},
  author = {{Bureau of Justice Assistance}},
  title = {{${name.replace(/[{}\\]/g, "")}}},
  note = {${note}; BJA TTA records, rebuilt from web archives},
  year = {${(dateCreated || seen || "n.d.").slice(0, 4)}},
  url = {${sameAs || `record ${id}`}}
}`;
  citation.after(bibtex);

  const copies = { "Copy the citation": () => citation.textContent, "Copy link": () => location.href.split("#")[0] };
  for (const [label, text] of Object.entries(navigator.clipboard ? copies : {})) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "tta-copy";
    button.textContent = label;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text());
      button.textContent = "Copied";
    });
    bibtex.before(button, " ");
  }
}
