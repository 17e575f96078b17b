// Narrows what is listed to what holds every word that is typed. Without this module all of it stays visible.
const box = document.querySelector(".filter");
const field = box?.querySelector("input");

function narrow() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const item of document.querySelectorAll("[data-terms]")) {
    item.hidden = !words.every((word) => item.dataset.terms.includes(word));
    shown += item.hidden ? 0 : 1;
  }
  for (const group of document.querySelectorAll("[data-group]")) {
    group.hidden = !group.querySelector("[data-terms]:not([hidden])");
  }
  box.querySelector("output").textContent = words.length ? `${shown} found` : "";
  const url = new URL(location.href);
  if (words.length) url.searchParams.set("q", field.value);
  else url.searchParams.delete("q");
  history.replaceState(null, "", url);
}

// What a link inside the page leads to has to be visible, whatever is typed and folded.
function reveal() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  if (field?.value && target.closest("[hidden]")) {
    field.value = "";
    narrow();
  }
  for (let node = target; node; node = node.parentElement) if (node.localName === "details") node.open = true;
  target.scrollIntoView();
}

if (field) {
  box.hidden = false;
  field.addEventListener("input", narrow);
  field.value = new URL(location.href).searchParams.get("q") ?? "";
  if (field.value) narrow();
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input, textarea");
    if (event.key === "/" && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      field.focus();
    } else if (event.key === "Escape" && event.target === field) {
      field.value = "";
      narrow();
    }
  });
}
window.addEventListener("hashchange", reveal);
if (location.hash) reveal();
