"""The examples of hooks that rooms declare, run."""

import inspect
import textwrap


def example_of(hook, **names):
    """Run the example in the docstring of a hook; return an object of the class that implements it."""
    text = inspect.getdoc(hook).partition("Example:\n")[2]
    namespace = {"__name__": "example", **names}
    exec(textwrap.dedent(text), namespace)
    (made,) = [each for each in namespace.values() if inspect.isclass(each) and hook.__name__ in vars(each)]
    return made()
