"""How the package is built, beside pyproject.toml: it takes along the files of which `vigil init` makes a workspace."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

FILES = ("dvc.yaml", "params.yaml", ".dvcignore", ".gitignore", ".dvc/config", ".dvc/plots")


class BuildWithProjectFiles(build_py):
    """Puts the project's own files into the package; an editable installation reads them where they are."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:
            return
        for name in FILES:
            source, target = Path(name), Path(self.build_lib, "vigil/cli/project", name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copyfile(source, target)


setup(cmdclass={"build_py": BuildWithProjectFiles})
