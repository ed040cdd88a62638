import { Problem, postEmpty } from "../api.ts";

const renewal = 120_000; // ms; the claim itself lasts ten minutes

export const claim = (id: string): Promise<unknown> => postEmpty(`/api/v1/dictations/${id}/claim`);

// keepClaim renews the claim while the page is open. A network that is away is no reason to worry people: the next renewal
// comes well before the claim ends.
export function keepClaim(id: string, lost: (why: string) => void): void {
  const timer = setInterval(() => {
    postEmpty(`/api/v1/dictations/${id}/claim`, { background: true }).catch((err: unknown) => {
      if (!(err instanceof Problem) || err.status === 0 || err.status >= 500) return;
      clearInterval(timer);
      lost(err.message);
    });
  }, renewal);
}
