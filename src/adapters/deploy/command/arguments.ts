/** From the lists of the configuration to what is really run. */

export type Values = Readonly<Record<'service' | 'environment' | 'version', string>>;

export type Filled =
  | { readonly kind: 'filled'; readonly program: string; readonly args: readonly string[] }
  | { readonly kind: 'refused'; readonly text: string };

const PLACEHOLDER = /\{(service|environment|version)\}/g;
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/**
 * Puts the values where the placeholders stand. One argument stays one argument, whatever the value holds. A value that
 * begins with `-` is refused, because a program may take it for an option.
 */
export function fill(list: readonly string[], values: Values): Filled {
  const [program, ...rest] = list;
  if (program === undefined) return { kind: 'refused', text: 'no program is configured' };
  for (const name of ['service', 'environment', 'version'] as const) {
    const value = values[name];
    if (value.startsWith('-')) return { kind: 'refused', text: `the ${name} begins with “-”` };
    if (CONTROL.test(value)) return { kind: 'refused', text: `the ${name} holds control characters` };
  }
  const args = rest.map((item) =>
    item.replace(PLACEHOLDER, (_, found: 'service' | 'environment' | 'version') => values[found]),
  );
  return { kind: 'filled', program, args };
}

/** The environment of the program: PATH, HOME, LANG, what is passed on, what is set, and what the robot tells it. */
export function environmentOf(
  own: Readonly<Record<string, string | undefined>>,
  pass: readonly string[],
  variables: Readonly<Record<string, string>>,
  told: Readonly<Record<string, string>>,
): Record<string, string> {
  const result: Record<string, string> = {};
  for (const name of ['PATH', 'HOME', 'LANG', ...pass]) {
    const value = own[name];
    if (value !== undefined) result[name] = value;
  }
  return { ...result, ...variables, ...told };
}
