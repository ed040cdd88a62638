// When a server that has no room now wants to be asked again.

// retryAfter reads the server's word on when to come again, in seconds; 0 if it says none.
export function retryAfter(header: string | null | undefined, now: number): number {
  if (!header) return 0;
  const seconds = Number(header);
  if (Number.isFinite(seconds)) return Math.max(0, seconds);
  const at = Date.parse(header);
  return Number.isNaN(at) ? 0 : Math.max(0, (at - now) / 1000);
}
