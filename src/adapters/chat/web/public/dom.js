/** Builds elements. Text is always text: the only way to insert HTML is {@link setServerHtml}. */

const policy = globalThis.trustedTypes?.createPolicy('shipmate', { createHTML: (html) => html }) ?? {
  createHTML: (html) => html,
};

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [props] `class`, `text`, `on…` listeners; everything else is an attribute
 * @param {...(Node | string | undefined | null | false)} children
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === false || value === null) continue;
    if (name === 'class') element.className = value;
    else if (name === 'text') element.textContent = value;
    else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

const SVG = 'http://www.w3.org/2000/svg';

export function icon(name, className = '') {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', `icon ${className}`.trim());
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#${name}`);
  svg.append(use);
  return svg;
}

/** A button with an icon; `label` is its name for those who do not see it, and its tooltip. */
export function iconButton(name, label, onclick, props = {}) {
  return h(
    'button',
    { type: 'button', class: 'icon-button', 'aria-label': label, title: label, onclick, ...props },
    icon(name),
  );
}

/** Inserts HTML that the server rendered from Markdown (markdown.ts), nothing else. */
export function setServerHtml(element, html) {
  element.innerHTML = policy.createHTML(html);
  return element;
}

export function announce(text) {
  const region = document.getElementById('announce');
  if (region) region.textContent = text;
}

/** Initials of a name for the round sign beside a message. */
export function initials(name) {
  const words = name
    .trim()
    .split(/[\s._-]+/)
    .filter(Boolean);
  const letters = words.length > 1 ? [...words[0]][0] + [...words[1]][0] : [...name.trim()].slice(0, 2).join('');
  return letters.toUpperCase();
}

export function avatar(person, robot) {
  if (robot) return h('span', { class: 'avatar robot', 'aria-hidden': 'true' }, icon('ship'));
  const colour = Number(String(person.id).split(':').pop()) % 8 || 0;
  return h('span', { class: `avatar tint-${colour}`, 'aria-hidden': 'true', text: initials(person.name) });
}
