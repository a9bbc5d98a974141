/** A thread that never gets to expose anything. */
throw new Error('cannot load');
