/** What of the stack's can stand on a server. */

/** A bundle, or a document of the live state, as it stands on a server. */
export interface Piece {
  /** What its last install was told; empty when that was nothing. */
  readonly repair: string;
  /** What was changed since: "file /etc/…: other content", say. */
  readonly changes: readonly string[];
}

/** By the bundle's name, or the document's path. */
export type Look = Readonly<Record<string, Piece>>;

/** Reads what remote/look.sh prints. */
export function parseLook(text: string): Look {
  type Parsed = Piece & { readonly changes: string[] };
  const look: Record<string, Parsed> = {};
  let piece: Parsed | undefined;
  for (const line of text.split("\n")) {
    const [mark, name = "", repair = ""] = line.split(" ");
    if (mark === "=") {
      piece = { repair, changes: [] };
      look[name] = piece;
    } else if (mark === "!") {
      piece?.changes.push(line.slice("! ".length));
    }
  }
  return look;
}
