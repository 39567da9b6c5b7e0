import type { DocumentRegistry } from "@jupyterlab/docregistry";
import type { IRenderMime } from "@jupyterlab/rendermime";
import type { Bundle } from "../model/wire";
import type { Services } from "./services";

/** A cell's output that shows jobs; from its making on it shows what was saved. */
export interface JobsOutput {
  /** The page's server has these jobs: follow them, and keep what the notebook saves of them up to date. */
  goLive(services: Services, model: IRenderMime.IMimeModel, context: DocumentRegistry.Context | null): void;
  /** Nobody can tell more than what was saved. */
  stayStill(): void;
  /** The output was written anew, perhaps by ourselves: the view stays. */
  refresh(services: Services | null, model: IRenderMime.IMimeModel, bundle: Bundle): void;
  dispose(): void;
}
