// A message's headers as a list that can be edited: built only where a rule edits or asks for more than the head's own text can answer.
export class HeaderList {
  /** Lower case. */
  readonly names: string[] = [];
  readonly values: string[] = [];
  /** Names as the sender wrote them, where the config keeps that: lower case to that. */
  spellings: Map<string, string> | undefined = undefined;

  push(name: string, value: string): void {
    this.names.push(name);
    this.values.push(value);
  }

  get(name: string): string | undefined {
    const at = this.names.indexOf(name);
    return at < 0 ? undefined : this.values[at];
  }

  lines(name: string): string[] {
    const found: string[] = [];
    for (let i = 0; i < this.names.length; i++) if (this.names[i] === name) found.push(this.values[i] as string);
    return found;
  }

  /** Removes all lines whose names it says. */
  removeWhere(fits: (name: string) => boolean): void {
    for (let i = this.names.length - 1; i >= 0; i--) {
      if (!fits(this.names[i] as string)) continue;
      this.names.splice(i, 1);
      this.values.splice(i, 1);
    }
  }

  remove(name: string): void {
    this.removeWhere((one) => one === name);
  }

  /** Replaces the first line of that name, removes the others; appends when there was none. */
  set(name: string, value: string): void {
    const at = this.names.indexOf(name);
    if (at < 0) {
      this.push(name, value);
      return;
    }
    this.values[at] = value;
    for (let i = this.names.length - 1; i > at; i--) {
      if (this.names[i] !== name) continue;
      this.names.splice(i, 1);
      this.values.splice(i, 1);
    }
  }

  /** `name: value` lines, each with CRLF. */
  text(): string {
    let out = "";
    if (this.spellings === undefined) for (let i = 0; i < this.names.length; i++) out += this.names[i] + ": " + this.values[i] + "\r\n";
    else for (let i = 0; i < this.names.length; i++) out += this.spelled(this.names[i] as string) + ": " + this.values[i] + "\r\n";
    return out;
  }

  private spelled(name: string): string {
    return this.spellings?.get(name) ?? name;
  }

  /** A line that does not stand in the list, `name: value` or "", as the sender wrote its name. */
  respelled(line: string): string {
    if (this.spellings === undefined || line === "") return line;
    const colon = line.indexOf(":");
    return this.spelled(line.slice(0, colon)) + line.slice(colon);
  }
}
