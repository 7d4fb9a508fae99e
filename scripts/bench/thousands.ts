/** A whole number with thin room between its thousands, as the tables write it. */
export function thousands(value: number): string {
  return Math.round(value).toLocaleString("en").replaceAll(",", " ");
}
