"""What a task needs around it: shell commands, packages, calls and modules."""

from covalent_lab.workflow.deps.bash import DepsBash
from covalent_lab.workflow.deps.call import DepsCall
from covalent_lab.workflow.deps.deps import Deps
from covalent_lab.workflow.deps.module import DepsModule
from covalent_lab.workflow.deps.pip import DepsPip

__all__ = ["Deps", "DepsBash", "DepsCall", "DepsModule", "DepsPip"]
