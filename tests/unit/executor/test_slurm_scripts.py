"""What Slurm is told and what it answers: scripts letter by letter, and answers of a real cluster."""

import copy
from typing import Any

import pytest
from covalent_lab_executors.queues import SlurmExecutor
from covalent_lab_executors.queues.script import render
from covalent_lab_executors.queues.slurm import SlurmSystem
from covalent_lab_executors.queues.system import JobState, Order, Seen, StatusError

import covalent_lab as ct

pytestmark = pytest.mark.usefixtures("private")
SLURM = SlurmSystem()


def order(indices: tuple[int, ...] = (), versions: tuple[str, ...] = (), **options: Any) -> Order:
    """One for node 3 of dispatch `d`, with the executor's option values."""
    values = SlurmExecutor(**options).to_dict()["attributes"]
    return Order(
        job_name="covalent-3-d",
        folder="/scratch/user",
        runner="/scratch/user/.code/task.py",
        stem="d-3",
        indices=indices,
        options=values,
        versions=versions,
    )


def test_documented_configuration_makes_the_documented_script() -> None:
    """The directives in order, then ours; srun options as they are spelt."""
    ct.set_config(
        {
            "executors.slurm.options": {
                "nodes": 1,
                "ntasks": 4,
                "cpus-per-task": 8,
                "constraint": "gpu",
                "gpus": 4,
                "qos": "regular",
            },
            "executors.slurm.srun_options": {"cpu_bind": "cores", "gpus": 4, "gpu-bind": "single:1"},
        }
    )
    assert render(SLURM, order()) == (
        "#!/bin/bash\n"
        "#SBATCH --nodes=1\n"
        "#SBATCH --ntasks=4\n"
        "#SBATCH --cpus-per-task=8\n"
        "#SBATCH --constraint=gpu\n"
        "#SBATCH --gpus=4\n"
        "#SBATCH --qos=regular\n"
        "#SBATCH --parsable\n"
        "#SBATCH --chdir=/scratch/user\n"
        "#SBATCH --job-name=covalent-3-d\n"
        "#SBATCH --output=/scratch/user/stdout-d-3.log\n"
        "#SBATCH --error=/scratch/user/stderr-d-3.log\n"
        "\n"
        '[ ! -f "$HOME/.bashrc" ] || source "$HOME/.bashrc"\n'
        "\n"
        "\n"
        "srun --cpu_bind=cores --gpus=4 --gpu-bind=single:1 \\\n"
        "python /scratch/user/.code/task.py /scratch/user/func-d-3.pkl /scratch/user/result-d-3.pkl "
        "/scratch/user/begun-d-3.txt\n"
        "\n"
        "\n"
        "wait\n"
    )


def test_documented_instance_makes_the_documented_commands() -> None:
    """Commands before and after, one-letter options, and a profiler between srun and Python."""
    script = render(
        SLURM,
        order(
            options={"qos": "regular", "time": "01:30:00", "nodes": 1, "constraint": "gpu"},
            prerun_commands=["module load package/1.2.3", "srun --ntasks-per-node 1 dcgmi profile --pause"],
            srun_options={"n": 4, "c": 8, "cpu-bind": "cores", "G": 4, "gpu-bind": "single:1"},
            srun_append="nsys profile --stats=true -t cuda --gpu-metrics-device=all",
            postrun_commands=["srun --ntasks-per-node 1 dcgmi profile --resume"],
        ),
    )
    assert (
        "module load package/1.2.3\n"
        "srun --ntasks-per-node 1 dcgmi profile --pause\n"
        "\n"
        "srun -n 4 -c 8 --cpu-bind=cores -G 4 --gpu-bind=single:1 \\\n"
        "nsys profile --stats=true -t cuda --gpu-metrics-device=all \\\n"
        "python /scratch/user/.code/task.py "
    ) in script
    assert script.endswith("begun-d-3.txt\n\nsrun --ntasks-per-node 1 dcgmi profile --resume\n\nwait\n")


def test_everything_else_a_script_can_have() -> None:
    """Short directives, those without a value, variables, conda, versions; no srun, no bashrc."""
    script = render(
        SLURM,
        order(
            versions=("3.11", "3.1.2", "1.0.0"),
            options={"parsable": "", "p": "short", "comment": "two words", "exclusive": None, "D": "/elsewhere"},
            variables={"OMP_NUM_THREADS": 2, "SAID": 'a "word"', "DATA": "$HOME/data"},
            conda_env="my env",
            bashrc_path="",
            use_srun=False,
            python_path="python3",
        ),
    )
    assert script.startswith(
        "#!/bin/bash\n"
        "#SBATCH --parsable\n"
        "#SBATCH -p short\n"
        "#SBATCH --comment='two words'\n"
        "#SBATCH --exclusive\n"
        "#SBATCH -D /elsewhere\n"
        "#SBATCH --job-name=covalent-3-d\n"
    )
    assert (
        "\n\n"
        'export OMP_NUM_THREADS="2"\n'
        'export SAID="a \\"word\\""\n'
        'export DATA="$HOME/data"\n'
        'command -v conda >/dev/null && eval "$(conda shell.bash hook)"\n'
        "if ! conda activate 'my env'; then\n"
    ) in script
    assert "\npython3 /scratch/user/.code/task.py check 3.11 3.1.2 1.0.0 || exit $?\n" in script
    assert "\n\npython3 /scratch/user/.code/task.py /scratch/user/func-d-3.pkl " in script
    assert "srun" not in script
    assert "bashrc" not in script


def test_conda_base_is_activated_by_no_name() -> None:
    """As documented."""
    assert "if ! conda activate; then\n" in render(SLURM, order(conda_env="base"))


def test_array_script_names_files_by_element() -> None:
    """Elements that were cancelled before are left out."""
    script = render(SLURM, order(indices=(0, 1, 4)))
    assert "#SBATCH --output=/scratch/user/stdout-d-3-%a.log\n" in script
    assert "#SBATCH --array=0,1,4\n" in script
    assert 'task.py /scratch/user/func-d-3-"$SLURM_ARRAY_TASK_ID".pkl ' in script


def test_option_that_would_end_its_line_is_refused() -> None:
    """So nothing of it becomes a command."""
    with pytest.raises(ValueError, match="more than one line"):
        render(SLURM, order(options={"comment": "x\nrm -rf"}))


def test_scripts_change_no_options() -> None:
    """What one task's script has is not in the next one's."""
    executor = SlurmExecutor(options={"nodes": 1}, srun_options={"n": 1}, variables={"A": "1"})
    before = copy.deepcopy(executor.to_dict())
    values = executor.to_dict()["attributes"]
    scripts = [
        render(SLURM, Order(job_name=name, folder="/w", runner="/w/task.py", stem=name, options=values))
        for name in ("a", "b")
    ]
    assert executor.to_dict() == before
    assert scripts[1] == scripts[0].replace("-a.", "-b.").replace("job-name=a", "job-name=b")
    assert SlurmExecutor().to_dict()["attributes"]["options"] == {"parsable": ""}


@pytest.mark.parametrize(
    ("options", "streams"),
    [
        ({}, ("/scratch/user/stdout-d-3.log", "/scratch/user/stderr-d-3.log")),
        ({"output": "out-%x-%j.txt"}, ("/scratch/user/out-covalent-3-d-17.txt", "/scratch/user/stderr-d-3.log")),
        ({"o": "/logs/%A_%a", "e": "e%%", "D": "/w"}, ("/logs/17_0", "/w/e%")),
    ],
)
def test_streams_are_where_the_directives_say(options: dict[str, Any], streams: tuple[str, str]) -> None:
    """The commonest patterns are known."""
    assert SLURM.streams(order(options=options), "17", None) == streams


# Answers

SQUEUE = """\
1|0|COMPLETED|None
1|1|FAILED|NonZeroExitCode
2|N/A|PENDING|Resources
3|N/A|RUNNING|None
4|N/A|COMPLETING|None
5|N/A|OUT_OF_MEMORY|OutOfMemory
6|N/A|TIMEOUT|TimeLimit
7|N/A|NODE_FAIL|NodeDown
8|N/A|PREEMPTED|None
9|N/A|CANCELLED|None
10|N/A|A_STATE_OF_TOMORROW|None
"""


def test_squeue_answers_are_read() -> None:
    """One state a job or element; words that nobody knows never mean that a job has ended."""
    assert SLURM.read_states(0, SQUEUE, "") == {
        "1_0": Seen(state=JobState.COMPLETED),
        "1_1": Seen(state=JobState.FAILED, reason="NonZeroExitCode"),
        "2": Seen(state=JobState.QUEUED, reason="Resources"),
        "3": Seen(state=JobState.RUNNING),
        "4": Seen(state=JobState.RUNNING),
        "5": Seen(state=JobState.OUT_OF_MEMORY, reason="OutOfMemory"),
        "6": Seen(state=JobState.TIMEOUT, reason="TimeLimit"),
        "7": Seen(state=JobState.NODE_FAIL, reason="NodeDown"),
        "8": Seen(state=JobState.PREEMPTED),
        "9": Seen(state=JobState.CANCELLED),
        "10": Seen(state=JobState.RUNNING),
    }


def test_squeue_without_an_answer_says_nothing_of_jobs() -> None:
    """A purged job is unknown; a controller that is down is no answer."""
    assert SLURM.read_states(1, "", "slurm_load_jobs error: Invalid job id specified") == {}
    with pytest.raises(StatusError, match="Unable to contact"):
        SLURM.read_states(1, "", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")


def test_job_is_known_by_its_script() -> None:
    """Whose path is all of it; a controller that is down is no answer."""
    out = "16|/w/slurm-d-30.sh\n17|/w/a b/slurm-d-3.sh\n17|/w/a b/slurm-d-3.sh\n18|(null)\n"
    assert SLURM.read_script(0, out, "", "/w/a b/slurm-d-3.sh") == "17"
    assert SLURM.read_script(0, out, "", "/w/slurm-d-3.sh") == ""
    with pytest.raises(StatusError, match="Unable to contact"):
        SLURM.read_script(1, "", "slurm_load_jobs error: Unable to contact slurm controller", "/w/slurm-d-3.sh")


def test_sacct_answers_are_read() -> None:
    """Also who cancelled a job."""
    out = "1_0|COMPLETED|0:0\n2|CANCELLED by 0|0:15\n3|FAILED|3:0\n"
    assert SLURM.read_history(0, out, "") == {
        "1_0": Seen(state=JobState.COMPLETED, reason="exit code 0:0"),
        "2": Seen(state=JobState.CANCELLED, reason="cancelled by 0"),
        "3": Seen(state=JobState.FAILED, reason="exit code 3:0"),
    }
    assert SLURM.read_history(1, "", "Slurm accounting storage is disabled") == {}


@pytest.mark.parametrize(
    ("said", "job_id"), [("17\n", "17"), ("17;cluster\n", "17"), ("Submitted batch job 17\n", "17"), ("no", "")]
)
def test_job_id_is_the_first_number(said: str, job_id: str) -> None:
    """Whatever sbatch says around it."""
    assert SLURM.read_id(said) == job_id


def test_commands_are_found_by_path_or_module() -> None:
    """The path at the end of PATH; without it the module, if they are not there."""
    assert SLURM.setup({"slurm_path": "/opt/slurm/bin"}) == 'export PATH="$PATH:/opt/slurm/bin"'
    assert "module load slurm" in SLURM.setup({"slurm_path": ""})


# Options


def test_options_come_from_argument_then_configuration_then_default() -> None:
    """An explicit empty value is a value."""
    ct.set_config({"executors.slurm.remote_workdir": "/scratch", "executors.slurm.bashrc_path": "/etc/bashrc"})
    executor = SlurmExecutor(bashrc_path="", use_srun=False)
    attributes = executor.to_dict()["attributes"]
    assert (attributes["remote_workdir"], attributes["bashrc_path"], attributes["use_srun"]) == ("/scratch", "", False)
    assert (attributes["poll_freq"], attributes["slurm_path"], attributes["cleanup"]) == (5.0, "/usr/bin", True)
    assert executor.options == {"parsable": ""}  # type: ignore[comparison-overlap]
    assert SlurmExecutor().from_dict(executor.to_dict()).to_dict() == executor.to_dict()


def test_polling_is_never_more_frequent_than_every_five_seconds() -> None:
    """Smaller values are raised."""
    assert [SlurmExecutor(poll_freq=value).to_dict()["attributes"]["poll_freq"] for value in (1, 60)] == [5.0, 60]


def test_unknown_options_are_ignored_with_a_warning() -> None:
    """It names them."""
    with pytest.warns(UserWarning, match="SlurmExecutor ignores partition"):
        SlurmExecutor(partition="short")


def test_secrets_of_sshproxy_stay_in_the_configuration() -> None:
    """They are not among an instance's attributes, unless it is given them, and are never shown."""
    ct.set_config("executors.slurm.sshproxy", {"hosts": ["h"], "password": "pass", "secret": "seed"})
    assert SlurmExecutor().to_dict()["attributes"]["sshproxy"] is None
    assert "pass" not in repr(SlurmExecutor(sshproxy={"password": "pass"}))


def test_partitions_are_read_from_one_answer_of_sinfo() -> None:
    """A line for each partition and state of its nodes; the default one has a star."""
    out = "debug*|up|2|idle|1:00:00\ndebug*|up|1|allocated|1:00:00\nlong|down|4|drained|infinite\n\nnonsense\n"
    assert SLURM.read_survey(0, out, "") == {
        "debug (default)": "up, 2 idle, 1 allocated; at most 1:00:00",
        "long": "down, 4 drained; at most any time",
    }
    with pytest.raises(StatusError, match="cannot contact"):
        SLURM.read_survey(1, "", "cannot contact the controller\n")
