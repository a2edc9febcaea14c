/** `npm start`: the example as it is. */
import { auth } from "./auth";
import { serve } from "./serve";

await serve(auth);
