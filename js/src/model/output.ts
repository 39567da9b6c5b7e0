import { Terminal } from "./ansi";
import type { LogWindow } from "./log";

/** A job's captured output as lines, fed from its window when somebody looks. */
export class Output {
  private terminal = new Terminal();
  private revision = -1;
  private fed = 0;

  constructor(private readonly log: LogWindow) {}

  /** The lines as of now; `note` says in words that some bytes are missing. */
  lines(note: (missing: number) => string): Terminal {
    const chunks = this.log.chunks;
    const last = chunks.at(-1);
    if (this.revision !== this.log.revision) {
      this.revision = this.log.revision;
      this.terminal = new Terminal();
      let end: number | null = null;
      for (const chunk of chunks) {
        if (end !== null) this.terminal.feed(`\n\x1b[0;2m${note(chunk.start - end)}\x1b[0m\n`);
        this.terminal.feed(chunk.text);
        end = chunk.end;
      }
    } else if (last) {
      this.terminal.feed(last.text.slice(this.fed));
    }
    this.fed = last?.text.length ?? 0;
    return this.terminal;
  }
}
