/** Addresses that come with alerts. */

/**
 * A link to show, as Markdown, or undefined if the address is no plain http or https address. Nothing in it can end the link
 * early, and an address with a user name, which can look like another host, is not shown.
 */
export function safeLink(text: string, address: string | undefined): string | undefined {
  if (!address || address.length > 2000) return undefined;
  const url = URL.parse(address);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.username || url.password) return undefined;
  const href = url.href.replace(
    /[()<>\\`|*_[\]{}'"\s]/g,
    (found) => `%${found.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`,
  );
  return `[${text}](${href})`;
}
