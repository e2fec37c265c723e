// CPU time and memory of a process, from /proc (Linux).
import { readFileSync } from "node:fs";

/** USER_HZ: /proc counts CPU time in these ticks on every Linux we meet. */
const TICKS_PER_SECOND = 100;

/** User and system time so far, in seconds. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function statusKb(pid: number, key: string): number {
  const line = new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1] ?? Number.NaN);
}

/** Resident set size, in bytes. */
export function residentBytes(pid: number): number {
  return statusKb(pid, "VmRSS") * 1024;
}

/** The part of it that no other process shares, in bytes. */
export function privateBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kb = [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm)].reduce((sum, m) => sum + Number(m[1]), 0);
  return kb * 1024;
}
