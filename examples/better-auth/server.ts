/** `npm start`: the unmodified example. */
import { auth } from "./auth";
import { serve } from "./serve";

await serve(auth);
