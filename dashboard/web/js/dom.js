// el makes an element. Attributes that are functions become listeners, true and
// false set or leave out an attribute, and children may be text.
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (name === "class") node.className = value;
    else if (name === "text") node.textContent = value;
    else if (value === true) node.setAttribute(name, "");
    else if (value !== false && value != null) node.setAttribute(name, value);
  }
  node.append(...children.filter((c) => c != null));
  return node;
}

export const byId = (id) => document.getElementById(id);

// text sets the text of a node if it differs, so that nothing is announced or
// laid out again in vain.
export function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}
