/**
 * Measures all contenders in each round, so that whatever else the computer
 * does meets all of them; another one goes first in each round, for who goes
 * first meets another computer than who goes last.
 * @param rounds how many
 * @param measure is told the round, from 1
 * @returns each contender's figures, in the order of the rounds
 */
export async function alternate<Contender extends string, Figure>(
  contenders: readonly Contender[],
  rounds: number,
  measure: (contender: Contender, round: number) => Promise<Figure>,
): Promise<Record<Contender, Figure[]>> {
  const figures = Object.fromEntries(
    contenders.map((contender) => [contender, [] as Figure[]]),
  ) as Record<Contender, Figure[]>;
  for (let round = 1; round <= rounds; round++) {
    const first = round % contenders.length;
    const order = [...contenders.slice(first), ...contenders.slice(0, first)];
    for (const contender of order) {
      figures[contender].push(await measure(contender, round));
    }
  }
  return figures;
}
