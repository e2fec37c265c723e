// strftime patterns as Envoy's time operators take them: https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
import { err, ok, type Result } from "../../kit/index.ts";

/** Milliseconds since 1970 to text. */
export type TimeFormat = (time: number) => string;

export type Zone = "utc" | "local";

const DAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const DAY_MS = 86_400_000;

interface Moment {
  /** Its UTC fields are those of the zone. */
  readonly shifted: Date;
  readonly time: number;
  /** Minutes east of Greenwich. */
  readonly offset: number;
  readonly zone: Zone;
}

function two(value: number, pad = "0"): string {
  return String(value).padStart(2, pad);
}

function dayOfYear({ shifted }: Moment): number {
  return Math.floor((shifted.getTime() - Date.UTC(shifted.getUTCFullYear(), 0, 1)) / DAY_MS);
}

/** Weeks begin with `first` (0 = Sunday); the days before the first of them are week 0. */
function week(moment: Moment, first: number): number {
  return Math.floor((dayOfYear(moment) + 7 - ((moment.shifted.getUTCDay() - first + 7) % 7)) / 7);
}

/** ISO 8601: the year and week of the Thursday. */
function isoWeek({ shifted }: Moment): { year: number; week: number } {
  const thursday = new Date(shifted.getTime() + (3 - ((shifted.getUTCDay() + 6) % 7)) * DAY_MS);
  const year = thursday.getUTCFullYear();
  return { year, week: Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / DAY_MS / 7) + 1 };
}

function hour12({ shifted }: Moment): number {
  return shifted.getUTCHours() % 12 || 12;
}

function zoneName({ zone, time }: Moment): string {
  if (zone === "utc") return "UTC";
  const parts = new Intl.DateTimeFormat("en-US", { timeZoneName: "short" }).formatToParts(time);
  return parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
}

function offsetText({ offset }: Moment): string {
  const minutes = Math.abs(offset);
  return `${offset < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
}

type Field = (moment: Moment) => string;

const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ["Y", ({ shifted }) => String(shifted.getUTCFullYear())],
  ["y", ({ shifted }) => two(shifted.getUTCFullYear() % 100)],
  ["C", ({ shifted }) => two(Math.floor(shifted.getUTCFullYear() / 100))],
  ["m", ({ shifted }) => two(shifted.getUTCMonth() + 1)],
  ["B", ({ shifted }) => MONTHS[shifted.getUTCMonth()] as string],
  ["b", ({ shifted }) => (MONTHS[shifted.getUTCMonth()] as string).slice(0, 3)],
  ["d", ({ shifted }) => two(shifted.getUTCDate())],
  ["e", ({ shifted }) => two(shifted.getUTCDate(), " ")],
  ["j", (moment) => String(dayOfYear(moment) + 1).padStart(3, "0")],
  ["A", ({ shifted }) => DAYS[shifted.getUTCDay()] as string],
  ["a", ({ shifted }) => (DAYS[shifted.getUTCDay()] as string).slice(0, 3)],
  ["u", ({ shifted }) => String(shifted.getUTCDay() || 7)],
  ["w", ({ shifted }) => String(shifted.getUTCDay())],
  ["U", (moment) => two(week(moment, 0))],
  ["W", (moment) => two(week(moment, 1))],
  ["V", (moment) => two(isoWeek(moment).week)],
  ["G", (moment) => String(isoWeek(moment).year)],
  ["g", (moment) => two(isoWeek(moment).year % 100)],
  ["H", ({ shifted }) => two(shifted.getUTCHours())],
  ["k", ({ shifted }) => two(shifted.getUTCHours(), " ")],
  ["I", (moment) => two(hour12(moment))],
  ["l", (moment) => two(hour12(moment), " ")],
  ["M", ({ shifted }) => two(shifted.getUTCMinutes())],
  ["S", ({ shifted }) => two(shifted.getUTCSeconds())],
  ["p", ({ shifted }) => (shifted.getUTCHours() < 12 ? "AM" : "PM")],
  ["P", ({ shifted }) => (shifted.getUTCHours() < 12 ? "am" : "pm")],
  ["z", offsetText],
  ["Z", zoneName],
  ["s", ({ time }) => String(Math.floor(time / 1000))],
  ["t", () => "\t"],
  ["%", () => "%"],
]);

/** Letters that stand for others. */
const LONGER: ReadonlyMap<string, string> = new Map([
  ["h", "%b"],
  ["D", "%m/%d/%y"],
  ["x", "%m/%d/%y"],
  ["F", "%Y-%m-%d"],
  ["T", "%H:%M:%S"],
  ["X", "%H:%M:%S"],
  ["R", "%H:%M"],
  ["r", "%I:%M:%S %p"],
  ["c", "%a %b %e %H:%M:%S %Y"],
]);

/** The clock counts milliseconds: what is finer is 0. */
function fraction(digits: number): Field {
  return ({ time }) => {
    const ms = ((Math.floor(time) % 1000) + 1000) % 1000;
    return (String(ms).padStart(3, "0") + "000000").slice(0, digits);
  };
}

const LETTER = /%([1-9]?f|.|$)/gs;

/** "" stands for Envoy's own pattern. Fails on a letter that is not known, and on a line's end. */
export function compileTime(pattern: string, zone: Zone): Result<TimeFormat> {
  const full = (pattern === "" ? `%Y-%m-%dT%H:%M:%S.%3f${zone === "utc" ? "Z" : "%z"}` : pattern).replace(
    LETTER,
    (all, letter: string) => LONGER.get(letter) ?? all,
  );
  const fields: Field[] = [];
  let at = 0;
  const literal = (end: number): void => {
    const text = full.slice(at, end);
    if (text !== "") fields.push(() => text);
  };
  for (const match of full.matchAll(LETTER)) {
    const [all, letter = ""] = match;
    const field = letter.endsWith("f") ? fraction(letter === "f" ? 9 : Number(letter[0])) : FIELDS.get(letter);
    if (field === undefined) return err(`${all} in a time is not supported`);
    literal(match.index);
    fields.push(field);
    at = match.index + all.length;
  }
  literal(full.length);
  let lastMs = Number.NaN;
  let lastText = "";
  return ok((time) => {
    // No field tells more than milliseconds, and many requests share one.
    const ms = Math.floor(time);
    if (ms === lastMs) return lastText;
    const offset = zone === "utc" ? 0 : -new Date(ms).getTimezoneOffset();
    const moment: Moment = { shifted: new Date(ms + offset * 60_000), time: ms, offset, zone };
    let text = "";
    for (const field of fields) text += field(moment);
    lastMs = ms;
    lastText = text;
    return text;
  });
}
