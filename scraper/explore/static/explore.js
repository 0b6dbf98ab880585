// What every page needs and Datasette's own templates lack.

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
