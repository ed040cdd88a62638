// Reading the fields of the calendar page. The server checks what they mean.
export interface Holiday {
  date: string;
  name: string;
  hours: string[];
}

// spans reads "08:00-12:00, 13:00-17:00".
export function spans(text: string): string[] {
  return text.split(/[,;]/).map((s) => s.trim()).filter((s) => s !== "");
}

// holidays reads a line for each: a date, hours if it is not wholly closed, a name.
export function holidays(text: string): Holiday[] {
  const out: Holiday[] = [];
  for (const line of text.split("\n")) {
    const words = line.trim().split(/\s+/).filter((w) => w !== "");
    const date = words.shift();
    if (date === undefined) continue;
    const hours: string[] = [];
    while (words[0] !== undefined && /^\d{1,2}:\d{2}[-–]\d{1,2}:\d{2},?$/.test(words[0])) hours.push(words.shift()!.replace(",", ""));
    out.push({ date, name: words.join(" "), hours });
  }
  return out;
}

// hours reads a number of hours as people write it, with a point or a comma; NaN for what is none.
export function hours(text: string): number {
  const t = text.trim().replace(",", ".");
  return /^\d+(\.\d+)?$/.test(t) ? Number(t) : NaN;
}
