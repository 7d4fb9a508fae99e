/** Domain names as strings: lower case, without the last dot, "" is the root. */

/** The form in which names are compared and stored (RFC 4343). */
export function canonicalName(name: string): string {
  return name.toLowerCase().replace(/\.$/, "");
}

/** The name without its first label; undefined for the root. */
export function parentName(name: string): string | undefined {
  if (name === "") return undefined;
  const dot = name.indexOf(".");
  return dot === -1 ? "" : name.slice(dot + 1);
}

/** Whether `name` is `ancestor` or lies below it. */
export function isAtOrBelow(name: string, ancestor: string): boolean {
  return ancestor === "" || name === ancestor || name.endsWith(`.${ancestor}`);
}

/** The wildcard right below a name. */
export function wildcardBelow(name: string): string {
  return name === "" ? "*" : `*.${name}`;
}
