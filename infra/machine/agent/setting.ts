/**
 * Reads the variables that a unit's environment file has to set.
 * @param file which one, for the message
 */
export function settingsFrom(file: string): (name: string) => string {
  return (name) => {
    const value = process.env[name];
    if (value) return value;
    throw new Error(
      `${name} is not set; ${file} has to set it: run pulumi up, which writes that file anew`,
    );
  };
}
