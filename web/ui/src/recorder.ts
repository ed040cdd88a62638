// Records the microphone, and hands over a piece every second so that it can be kept at once.
export interface Listener {
  piece(blob: Blob): void;
  ended(): void; // the microphone went away: a call, a pulled plug
}

const types = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4;codecs=mp4a.40.2", "audio/mp4"];

export const recordingType = (): string | undefined =>
  typeof MediaRecorder === "undefined" ? undefined : types.find((t) => MediaRecorder.isTypeSupported(t));

export const extension = (type: string): string =>
  type.includes("mp4") ? "m4a" : type.includes("ogg") ? "ogg" : "webm";

export class Recorder {
  private counted = 0; // ms before the last pause
  private since = 0; // when it last went on; 0 while paused
  private readonly analyser: AnalyserNode;
  private readonly samples: Uint8Array<ArrayBuffer>;

  private constructor(
    private readonly stream: MediaStream, private readonly media: MediaRecorder, private readonly sound: AudioContext,
  ) {
    this.analyser = sound.createAnalyser();
    this.analyser.fftSize = 1024;
    this.samples = new Uint8Array(this.analyser.fftSize);
    sound.createMediaStreamSource(stream).connect(this.analyser);
  }

  static async open(type: string, listener: Listener): Promise<Recorder> {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: { channelCount: 1, echoCancellation: false, noiseSuppression: true, autoGainControl: true },
    });
    const media = new MediaRecorder(stream, { mimeType: type, audioBitsPerSecond: 48_000 });
    media.addEventListener("dataavailable", (e) => {
      if (e.data.size > 0) listener.piece(e.data);
    });
    const r = new Recorder(stream, media, new AudioContext());
    for (const t of stream.getAudioTracks()) t.addEventListener("ended", () => listener.ended());
    media.start(1000);
    r.since = performance.now();
    return r;
  }

  get seconds(): number {
    return (this.counted + (this.since ? performance.now() - this.since : 0)) / 1000;
  }

  get paused(): boolean { return this.media.state === "paused"; }

  pause(): void {
    if (this.media.state !== "recording") return;
    this.media.requestData(); // what was said so far is kept before the pause
    this.media.pause();
    this.counted += performance.now() - this.since;
    this.since = 0;
  }

  resume(): void {
    if (this.media.state !== "paused") return;
    this.media.resume();
    this.since = performance.now();
  }

  // level is the loudness of this moment, 0…1.
  level(): number {
    if (this.paused) return 0;
    this.analyser.getByteTimeDomainData(this.samples);
    let sum = 0;
    for (const s of this.samples) sum += ((s - 128) / 128) ** 2;
    return Math.min(1, Math.sqrt(sum / this.samples.length) * 4);
  }

  // stop resolves after the last piece was handed over.
  async stop(): Promise<number> {
    const seconds = this.seconds;
    this.counted = seconds * 1000;
    this.since = 0;
    if (this.media.state !== "inactive") {
      await new Promise<void>((done) => {
        this.media.addEventListener("stop", () => done(), { once: true });
        this.media.stop();
      });
    }
    for (const t of this.stream.getTracks()) t.stop();
    await this.sound.close();
    return seconds;
  }
}
