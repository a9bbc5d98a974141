/** Entry of the loader thread. */
import { Loader } from '../src/data/loader.ts';
import { exposeActor } from '../src/pool/actor-thread.ts';
import type { LoaderApi } from '../src/pool/protocol.ts';

exposeActor<LoaderApi>(new Loader());
