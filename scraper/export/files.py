"""Files and folders of an export take their places whole or not at all, and never in the place of what no export wrote."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from scraper.errors import TtaError
from scraper.export.manifest import manifest_of, owned, signatures, written
from scraper.folders import sync


@contextmanager
def new(path: Path, describe: Callable[[Path], str], *, is_folder: bool) -> Iterator[Path]:
    """The path of a file or folder to write, whose files take their places when all are complete. Raises TtaError.

    `describe` is called with the complete file or folder and returns its manifest. Files that an earlier export wrote there and
    this one doesn't are removed.
    """
    if path.exists() and path.is_dir() != is_folder:
        raise TtaError(f"{path} is a {'file: name a folder' if is_folder else 'folder: name a file'}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent, ignore_cleanup_errors=True) as name:
            scratch = Path(name)
            made = scratch if is_folder else scratch / path.name
            yield made
            text = describe(made)
            if is_folder:
                path.mkdir(exist_ok=True)
            files = {file.relative_to(scratch).as_posix(): file for file in sorted(scratch.rglob("*")) if file.is_file()}
            _place(manifest_of(path), text, files)
    except OSError as error:
        raise TtaError(f"{error.filename or path}: {error.strerror or error}; nothing was exported") from None


def _place(manifest: Path, text: str, files: dict[str, Path]) -> None:
    """Moves complete files beside the manifest's place. Unchanged files stay as they are, with their time.

    Meanwhile the old and the new manifest have other names, so that a run that is killed here leaves no manifest beside files
    that it does not describe, and the next run still knows which files are ours.
    """
    folder = manifest.parent
    before, after = (manifest.with_name(f".{manifest.name}.{state}") for state in ("old", "new"))
    ours = owned(manifest, before, after)
    there = {name: written(folder, name).sha256 for name in {*ours, *files} if (folder / name).exists()}
    for name in files:
        if name in there and there[name] not in ours.get(name, ()):
            raise TtaError(f"{folder / name} is not as an export wrote it: move it away, or name another destination")
    if manifest.exists() and not owned(manifest):
        raise TtaError(f"{manifest} is not a manifest of this program: move it away, or name another destination")
    for file in files.values():
        sync(file)
    after.write_text(text, encoding="utf-8", newline="\n")
    new = owned(after)
    try:
        if manifest.exists():
            manifest.replace(before)
        for name in sorted(set(there) - set(files)):
            if there[name] in ours[name]:
                (folder / name).unlink()
        for name, file in files.items():
            if there.get(name) not in new[name]:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                file.replace(folder / name)
        for stale in signatures(manifest):
            stale.unlink()
        after.replace(manifest)
        before.unlink(missing_ok=True)
        with suppress(OSError):
            sync(folder)
    except OSError as error:
        raise TtaError(f"{error.filename}: {error.strerror}; the export is not complete: run it again") from None
