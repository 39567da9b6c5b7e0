import { isFrame, type FromBrowser } from "../model/wire";
import { isAnswer, type Answer } from "./requests";

const TARGET = "jobdeck.commands";
/** Milliseconds for which a front end may take to have a thread of the kernel for itself; one without never says so. */
const THREAD_PATIENCE = 1_000;

/** A comm that the page has opened: the kernel answers on it while a cell runs, which it may not on a widget's comm. */
export interface Channel {
  send: (frame: FromBrowser) => void;
  close: () => void;
}

interface Comm {
  open: (data: unknown) => unknown;
  send: (data: unknown) => unknown;
  on_msg: (callback: (message: { content?: { data?: unknown } }) => void) => void;
  on_close: (callback: () => void) => void;
  close: () => unknown;
  /** JupyterLab's own comm below it. */
  jsServicesComm?: { subshellStarted?: Promise<void> };
}

/** What ipywidgets' managers have in all front ends that have a kernel at hand. */
interface Manager {
  _create_comm: (target: string, id: string) => Promise<Comm>;
}

function isManager(value: unknown): value is Manager {
  return typeof (value as Partial<Manager> | null | undefined)?._create_comm === "function";
}

/**
 * Open a channel for commands to jobs of a store.
 *
 * @param manager - The widget manager of the page, if it has one.
 * @param storeId - The store that the jobs are in.
 * @param onAnswer - Called with each answer.
 * @param onClose - Called when the kernel has closed it: one without our package, or one that has ended.
 * @returns null where the front end cannot open comms.
 */
export async function openChannel(
  manager: unknown,
  storeId: string,
  onAnswer: (answer: Answer) => void,
  onClose: () => void,
): Promise<Channel | null> {
  if (!isManager(manager)) return null;
  let comm: Comm;
  try {
    comm = await manager._create_comm(TARGET, newId());
  } catch {
    // No kernel, or a front end that opens widgets' comms alone: the widget's own comm is there.
    return null;
  }
  comm.on_msg((message) => {
    const frame = message.content?.data;
    if (isFrame(frame) && isAnswer(frame)) onAnswer(frame);
  });
  comm.on_close(onClose);
  // JupyterLab asks for the thread as the comm is made. What is sent before it is there waits for the cell.
  await within(THREAD_PATIENCE, comm.jsServicesComm?.subshellStarted);
  comm.open({ store_id: storeId });
  return { send: (frame) => void comm.send(frame), close: () => void comm.close() };
}

/** As a comm's id is elsewhere. A page that came without encryption, such as one of another machine's, has no `randomUUID`. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Wait for a promise, but not for long; it may also fail. */
async function within(patience: number, promise: Promise<void> | undefined): Promise<void> {
  if (!promise) return;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patience);
  });
  await Promise.race([promise.catch(() => undefined), late]);
  clearTimeout(timer);
}
