// Whose note it is: shown above the text, and chosen in a dialog.
import { get, post, words } from "../api.ts";
import { closers } from "../dialog.ts";
import { busy, button, byID, make, showError } from "../dom.ts";
import type { Detail, Encounter, Patient } from "../types.ts";

export class Binding {
  private found: Patient[] = [];
  private chosen: Patient | undefined;
  private visits: Encounter[] = [];

  constructor(private detail: Detail, private readonly may: boolean, private readonly bound: (d: Detail) => void) {
    this.draw();
  }

  get missing(): boolean { return !this.detail.patient; }

  private draw(): void {
    const bar = byID("patient-bar");
    const p = this.detail.patient;
    bar.hidden = false;
    bar.classList.toggle("missing", !p);
    const text = p
      ? [make("b", {}, p.name), make("span", { class: "mono" }, p.mrn), make("span", { class: "muted" }, `born ${p.birth_date}${p.sex ? ", " + p.sex : ""}`)]
      : [make("b", {}, "No patient is bound to this note."), make("span", {}, "Listen who it is about, then choose.")];
    if (this.detail.encounter) text.push(make("span", { class: "muted" }, this.detail.encounter.title));
    bar.replaceChildren(make("span", { class: "row" }, ...text), ...(this.may ? [button(p ? "Change" : "Choose the patient", p ? "small quiet" : "small primary", () => void this.open())] : []));
  }

  async open(): Promise<void> {
    const dialog = byID<HTMLDialogElement>("bind-dialog");
    const search = byID<HTMLInputElement>("bind-search");
    showError("bind-error", "");
    this.chosen = undefined;
    search.value = "";
    byID("bind-found").replaceChildren();
    closers(dialog);
    dialog.showModal();
    await this.loadVisits();
    let timer: ReturnType<typeof setTimeout>;
    search.oninput = () => {
      clearTimeout(timer);
      timer = setTimeout(() => void this.search(search.value.trim()), 300);
    };
    dialog.querySelector("form")!.onsubmit = (e) => {
      e.preventDefault();
      void busy(byID<HTMLButtonElement>("bind-ok"), () => this.save(dialog));
    };
  }

  private async loadVisits(): Promise<void> {
    const select = byID<HTMLSelectElement>("bind-visit");
    try {
      this.visits = (await get<{ items: Encounter[] }>(`/api/v1/encounters?author=${this.detail.author.id}`)).items;
      const when = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
      select.replaceChildren(make("option", { value: "" }, "No visit"), ...this.visits.map((v) => make("option", { value: v.id }, [v.patient_name, v.title, when.format(new Date(v.starts))].filter(Boolean).join(", "))));
    } catch (err) {
      showError("bind-error", words(err));
    }
  }

  private async search(text: string): Promise<void> {
    if (text.length < 2) {
      byID("bind-found").replaceChildren();
      return;
    }
    try {
      this.found = (await post<{ items: Patient[] }>("/api/v1/patients/search", { search: text })).items;
      this.list();
    } catch (err) {
      showError("bind-error", words(err));
    }
  }

  private list(): void {
    byID("bind-found").replaceChildren(...this.found.map((p) => {
      const b = button(`${p.name}, ${p.mrn}, born ${p.birth_date}`, "block" + (p === this.chosen ? " primary" : ""), () => {
        this.chosen = p;
        byID<HTMLSelectElement>("bind-visit").value = "";
        this.list();
      });
      b.setAttribute("aria-pressed", String(p === this.chosen));
      return make("li", {}, b);
    }), ...(this.found.length === 0 ? [make("li", { class: "muted" }, "Nobody found. Check the spelling or the number.")] : []));
  }

  private async save(dialog: HTMLDialogElement): Promise<void> {
    const visit = this.visits.find((v) => v.id === byID<HTMLSelectElement>("bind-visit").value);
    const patient = this.chosen?.id ?? visit?.patient_id;
    if (!patient) {
      showError("bind-error", "Choose a visit or a patient.");
      return;
    }
    try {
      await post(`/api/v1/dictations/${this.detail.id}/bind`, { patient, ...(visit && !this.chosen ? { encounter: visit.id } : {}) });
      this.detail = await get<Detail>(`/api/v1/dictations/${this.detail.id}`);
      this.draw();
      this.bound(this.detail);
      dialog.close("ok");
    } catch (err) {
      showError("bind-error", words(err));
    }
  }
}
