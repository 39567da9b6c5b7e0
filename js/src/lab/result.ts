import { HostError } from "../host/host";
import type { Connection } from "../host/server";
import type { Translation } from "../model/translation";
import type { JobInfo } from "../model/wire";

const PATIENCE = 15_000;

/** Ask for a job whose result is wanted, with it as the card shows it. Rejects with a HostError. */
export function fetchResult(connection: Connection, id: string, trans: Translation): Promise<JobInfo> {
  const host = connection.open([id]);
  return new Promise<JobInfo>((resolve, reject) => {
    const end = (act: () => void): void => {
      clearTimeout(timer);
      host.dispose();
      act();
    };
    const timer = setTimeout(() => end(() => reject(new HostError(trans.__("The Jupyter server has not answered.")))), PATIENCE);
    host.subscribe((frame) => {
      if (frame.type !== "snapshot") return;
      const job = frame.jobs.find((info) => info.id === id);
      if (job) end(() => resolve(job));
      else end(() => reject(new HostError(trans.__("The server's store has no job {id}.", { id }))));
    });
  });
}
