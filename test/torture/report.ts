/** What schedules of faults came to, and how it is printed. */

/** Seconds within which a run must go on after a death. */
const MOST_RECOVERY_SECONDS = 1;

export interface Report {
  schedules: number;
  /** By what was done to what. */
  kills: Record<string, number>;
  resumes: number;
  /** What was not as in an undisturbed run, with the seed that repeats it. */
  mismatches: string[];
  /**
   * To a step, validation or checkpoint from the last death before it: after another death a thread may hang, and until that is
   * noticed, which is its own death, --worker-timeout goes by.
   */
  recoverySeconds: number[];
}

export function emptyReport(): Report {
  return { schedules: 0, kills: {}, resumes: 0, mismatches: [], recoverySeconds: [] };
}

/** What one run of a scenario came to; `kills` may be a number alone, whose kind is the scenario's name. */
export type ScenarioReport = Partial<Omit<Report, 'kills'>> & {
  kills: number | Report['kills'];
  mismatches: string[];
};

export function addReport(total: Report, name: string, part: ScenarioReport): void {
  const { schedules = 1, kills, resumes = 0, mismatches, recoverySeconds = [] } = part;
  total.schedules += schedules;
  total.resumes += resumes;
  total.mismatches.push(...mismatches);
  total.recoverySeconds.push(...recoverySeconds);
  const kinds = typeof kills === 'number' ? { [name]: kills } : kills;
  for (const [kind, count] of Object.entries(kinds)) addKills(total, kind, count);
}

export function addKills(report: Report, kind: string, count = 1): void {
  report.kills[kind] = (report.kills[kind] ?? 0) + count;
}

/** True where every run ended as an undisturbed one, and went on in time after each death. */
export function hasPassed({ mismatches, recoverySeconds }: Report): boolean {
  return mismatches.length === 0 && tooLong(recoverySeconds).length === 0;
}

function tooLong(recoverySeconds: readonly number[]): readonly number[] {
  return recoverySeconds.filter((seconds) => seconds > MOST_RECOVERY_SECONDS);
}

export function formatReport({
  schedules,
  kills,
  resumes,
  mismatches,
  recoverySeconds,
}: Report): string {
  const sorted = [...recoverySeconds].sort((a, b) => a - b);
  const seconds = (value: number | undefined) => (value === undefined ? '–' : value.toFixed(3));
  const count = Object.values(kills).reduce((sum, value) => sum + value, 0);
  const kinds = Object.entries(kills)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([kind, times]) => `    ${kind.padEnd(28)} ${times}\n`);
  return [
    `  schedules   ${schedules}\n`,
    `  kills       ${count}\n`,
    ...kinds,
    `  resumes     ${resumes}\n`,
    `  recovery    median ${seconds(sorted[sorted.length >> 1])} s, longest ${seconds(sorted.at(-1))} s, over ${MOST_RECOVERY_SECONDS} s ${tooLong(sorted).length} times\n`,
    `  mismatches  ${mismatches.length}\n`,
    ...mismatches.map((mismatch) => `    ${mismatch}\n`),
  ].join('');
}
