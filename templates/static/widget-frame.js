// Tells the page around this frame how tall the form is, so that it can make room.
const tell = () => parent.postMessage({ handbillHeight: Math.ceil(document.body.getBoundingClientRect().height) }, "*");
new ResizeObserver(tell).observe(document.body);
addEventListener("message", ({ data, source }) => { if (source === parent && data === "handbillHeight?") tell(); });
