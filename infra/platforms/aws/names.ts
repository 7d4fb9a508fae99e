/** The first of several has the name that the only one has. */
export function nth(name: string, index: number): string {
  return index === 0 ? name : `${name}-${String(index)}`;
}
