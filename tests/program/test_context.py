"""A job's process is at home where the kernel was."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import textwrap

from jobdeck._program import Context

ENTER = textwrap.dedent("""
    import os, sys
    from jobdeck._program import Context
    Context.from_bytes(sys.stdin.buffer.read()).enter()
""")


def entered(context: Context, code: str) -> subprocess.CompletedProcess[str]:
    script = ENTER + textwrap.dedent(code)
    done = subprocess.run(
        [sys.executable, "-c", script], input=context.to_bytes(), capture_output=True, timeout=60, check=False
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_a_context_survives_the_way():
    context = Context.here(entered)
    assert Context.from_bytes(context.to_bytes()) == context
    assert context.interpreter == sys.executable
    assert "" not in context.sys_path


def test_an_environment_that_is_not_utf8_survives_the_way(monkeypatch):
    monkeypatch.setenv("ODD", os.fsdecode(b"a\xffb"))
    assert Context.from_bytes(Context.here().to_bytes()).env["ODD"] == os.fsdecode(b"a\xffb")


def test_the_process_takes_it_all_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MINE", "1")
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    context = dataclasses.replace(Context.here(), sys_path=("/x", *sys.path))
    done = entered(context, "print(os.getcwd(), sys.path[0], os.environ['MINE'], os.environ['MPLBACKEND'])")
    assert done.stdout.split() == [str(tmp_path), "/x", "1", "agg"]
    assert done.stderr == ""


def test_a_folder_that_is_gone_is_replaced_and_stderr_says_so(tmp_path):
    context = dataclasses.replace(Context.here(), cwd=str(tmp_path / "gone"))
    done = entered(context, "print(os.getcwd())")
    assert os.path.isdir(done.stdout.strip())
    assert f"cannot use the folder {tmp_path / 'gone'}" in done.stderr


def test_a_kernel_without_a_folder_has_a_context(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    context = Context.here()
    monkeypatch.undo()
    assert context.cwd == ""
    assert entered(context, "print('in')").stdout.strip() == "in"


def test_tracebacks_show_the_lines_of_cells():
    script = textwrap.dedent("""
        import linecache, sys
        from jobdeck._program import Context
        text = "def helper():\\n    return 1 / 0  # in a cell\\ndef program():\\n    helper()\\n"
        linecache.cache["<cell 1>"] = (len(text), None, text.splitlines(True), "<cell 1>")
        exec(compile(text, "<cell 1>", "exec"), globals())
        sys.stdout.buffer.write(Context.here(program).to_bytes())
    """)
    data = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60, check=True).stdout
    context = Context.from_bytes(data)
    assert list(context.sources) == ["<cell 1>"]
    done = entered(context, "import linecache; linecache.checkcache(); print(linecache.getline('<cell 1>', 2))")
    assert done.stdout.strip() == "return 1 / 0  # in a cell"


def test_a_library_function_takes_no_sources_along():
    assert Context.here(json.dumps).sources == {}


def test_what_is_remembered_of_a_context_is_never_an_old_one(tmp_path, monkeypatch):
    def same():
        return Context.bytes_here(None) == Context.here(None).to_bytes()

    assert same()
    monkeypatch.setenv("MY_SETTING", "1")
    assert same()
    monkeypatch.setenv("MY_SETTING", "2")
    assert same()
    assert Context.from_bytes(Context.bytes_here()).env["MY_SETTING"] == "2"
    monkeypatch.delenv("MY_SETTING")
    assert same()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert same()
    monkeypatch.chdir(tmp_path)
    assert same()
    assert Context.from_bytes(Context.bytes_here()).cwd == str(tmp_path)


def test_only_what_differs_of_the_environment_is_changed(monkeypatch):
    monkeypatch.setenv("STAYS", "1")
    monkeypatch.setenv("GOES", "1")
    monkeypatch.setenv("CHANGES", "1")
    wanted = {**os.environ, "CHANGES": "2", "COMES": "1", "TZ": "Asia/Tokyo"}
    del wanted["GOES"]
    script = f"""
import os, time
from jobdeck._program import Context
Context({sys.executable!r}, os.getcwd(), tuple(__import__("sys").path), {wanted!r}).enter()
assert dict(os.environ) == {wanted!r}
assert os.popen('echo "$STAYS$GOES$CHANGES$COMES"').read() == "121\\n"
assert time.strftime("%z") == "+0900"
"""
    subprocess.run([sys.executable, "-c", script], check=True)
