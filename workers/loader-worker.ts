/** Entry of the loader thread. */
import { Loader } from '../src/data/loader.ts';
import type { LoaderApi } from '../src/pool/actor-protocol.ts';
import { exposeActor } from '../src/pool/actor-thread.ts';

exposeActor<LoaderApi>(new Loader());
