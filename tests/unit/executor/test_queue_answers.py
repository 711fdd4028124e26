"""PBS, Torque, LSF and Grid Engine: scripts, and answers in the form that their manuals show."""

import shlex
from typing import Any

import pytest
from covalent_lab_executors.queues import LSFExecutor, PBSExecutor, SGEExecutor
from covalent_lab_executors.queues.executors import PlainQueueExecutor
from covalent_lab_executors.queues.lsf import LSFSystem
from covalent_lab_executors.queues.pbs import PBSSystem
from covalent_lab_executors.queues.script import render
from covalent_lab_executors.queues.sge import SGESystem
from covalent_lab_executors.queues.system import JobState, Order, QueueSystem, Seen, StatusError

import covalent_lab as ct

pytestmark = pytest.mark.usefixtures("private")
PBS, LSF, SGE = PBSSystem(), LSFSystem(), SGESystem()
OPENED = "cd /scratch || exit 1\nexec >/scratch/stdout-d-3.log 2>/scratch/stderr-d-3.log\n"
CALL = "python /c/task.py /scratch/func-d-3.pkl /scratch/result-d-3.pkl /scratch/begun-d-3.txt\n"


def script(executor: PlainQueueExecutor) -> str:
    """The script of node 3 of dispatch `d`."""
    order = Order(
        job_name="covalent-3-dispatch",
        folder="/scratch",
        runner="/c/task.py",
        stem="d-3",
        options=executor.to_dict()["attributes"],
    )
    return render(executor.system, order)


# Scripts


def test_pbs_script() -> None:
    """A list is a line for each value; what the user gives wins."""
    options: dict[str, Any] = {"l": ["select=2:ncpus=4", "walltime=01:00:00"], "q": "work", "V": "", "r": "y"}
    assert script(PBSExecutor(options=options, launcher="mpiexec -n 8", bashrc_path="")) == (
        "#!/bin/bash\n"
        "#PBS -l select=2:ncpus=4\n"
        "#PBS -l walltime=01:00:00\n"
        "#PBS -q work\n"
        "#PBS -V\n"
        "#PBS -r y\n"
        "#PBS -N covalent-3-disp\n"
        "#PBS -S /bin/bash\n"
        "#PBS -o /dev/null\n"
        "#PBS -e /dev/null\n"
        f"\n{OPENED}\n\nmpiexec -n 8 {CALL}\n\nwait\n"
    )


def test_lsf_script() -> None:
    """Values are quoted, as LSF reads them like a shell."""
    options = {"W": "1:00", "R": "rusage[mem=4GB] span[hosts=1]", "gpu": "num=1"}
    written = script(LSFExecutor(options=options, bashrc_path="", prerun_commands=["module load gcc"]))
    assert written == (
        "#!/bin/bash\n"
        "#BSUB -W 1:00\n"
        "#BSUB -R 'rusage[mem=4GB] span[hosts=1]'\n"
        "#BSUB -gpu num=1\n"
        "#BSUB -J covalent-3-dispatch\n"
        "#BSUB -rn\n"
        "#BSUB -o /dev/null\n"
        "#BSUB -e /dev/null\n"
        f"\n{OPENED}\nmodule load gcc\n\n{CALL}\n\nwait\n"
    )


def test_sge_script() -> None:
    """Values of two words stay two words."""
    assert script(SGEExecutor(options={"pe": "smp 4", "l": ["h_rt=3600", "h_vmem=4G"]}, bashrc_path="")) == (
        "#!/bin/bash\n"
        "#$ -pe smp 4\n"
        "#$ -l h_rt=3600\n"
        "#$ -l h_vmem=4G\n"
        "#$ -N covalent-3-dispatch\n"
        "#$ -S /bin/bash\n"
        "#$ -r n\n"
        "#$ -o /dev/null\n"
        "#$ -e /dev/null\n"
        f"\n{OPENED}\n\n{CALL}\n\nwait\n"
    )


@pytest.mark.parametrize("kind", [PBSExecutor, LSFExecutor, SGEExecutor])
def test_values_come_from_the_section_of_the_executor(kind: type[PlainQueueExecutor]) -> None:
    """And travel as JSON."""
    ct.set_config(f"executors.{kind.short_name}.options", {"q": "configured"})
    ct.set_config(f"executors.{kind.short_name}.username", "ada")
    executor = kind(username="bob")
    attributes = executor.to_dict()["attributes"]
    assert (attributes["username"], attributes["options"], attributes["poll_freq"]) == ("bob", {"q": "configured"}, 5.0)
    assert kind().from_dict(executor.to_dict()).to_dict() == executor.to_dict()


# Orders


@pytest.mark.parametrize(
    ("system", "said", "job_id"),
    [
        (PBS, "1234.pbs01.cluster.org\n", "1234.pbs01.cluster.org"),
        (PBS, "qsub: waiting\n1234.pbs01\n", "1234.pbs01"),
        (LSF, "Job <1234> is submitted to default queue <normal>.\n", "1234"),
        (SGE, "1234\n", "1234"),
        (LSF, "Request aborted by esub. Job not submitted.", ""),
    ],
)
def test_job_id_is_read(system: QueueSystem, said: str, job_id: str) -> None:
    """Also where there are words around it."""
    assert system.read_id(said) == job_id


@pytest.mark.parametrize(
    ("system", "cancel", "submit"),
    [
        (PBS, "qdel 1.a 2.a", "qsub /w/s.sh"),
        (LSF, "bkill 1.a 2.a", "bsub < /w/s.sh"),
        (SGE, "qdel 1.a 2.a", "qsub -terse /w/s.sh"),
    ],
)
def test_orders(system: QueueSystem, cancel: str, submit: str) -> None:
    """Many jobs in one command."""
    assert system.cancel(["1.a", "2.a"]) == cancel
    assert system.submit(shlex.quote("/w/s.sh")) == submit
    assert system.setup({"commands_path": "/opt/bin"}) == 'export PATH="$PATH:/opt/bin"'
    assert system.setup({}) == ""


# Answers of PBS

PBS_JSON = """\
{
    "timestamp":1700000000,
    "pbs_version":"2022.1.1",
    "pbs_server":"pbs01",
    "Jobs":{
        "1.pbs01":{
            "Job_Name":"covalent-0-disp",
            "Job_Owner":"ada@login1",
            "job_state":"Q",
            "queue":"work",
            "substate":10,
            "comment":"Not Running: Insufficient amount of resource: ncpus",
            "Variable_List":{"PBS_O_HOME":"/u/ada", "TABBED":"a\tb"}
        },
        "2.pbs01":{"job_state":"R", "substate":42, "comment":"Job run at Tue Nov 14 at 22:13 on (n1:ncpus=1)"},
        "3.pbs01":{"job_state":"E", "substate":51, "Exit_status":0},
        "4.pbs01":{"job_state":"F", "substate":92, "Exit_status":0, "comment":"Job run and finished"},
        "5.pbs01":{"job_state":"F", "substate":93, "Exit_status":3, "comment":"Job run and failed"},
        "6.pbs01":{"job_state":"F", "substate":91, "Exit_status":271, "comment":"terminated"},
        "7.pbs01":{"job_state":"F", "substate":91, "comment":"Deleted while queued"},
        "8.pbs01":{"job_state":"F", "substate":93, "Exit_status":-29, "comment":"Job run and failed"},
        "9.pbs01":{"job_state":"F", "substate":93, "Exit_status":-27},
        "10.pbs01":{"job_state":"H", "substate":20}
    }
}
"""


def test_pbs_answers_are_read() -> None:
    """JSON with control characters in variables, as it comes; a job that is ending is not at its end."""
    assert PBS.read_states(0, PBS_JSON, "") == {
        "1.pbs01": Seen(state=JobState.QUEUED, reason="Not Running: Insufficient amount of resource: ncpus"),
        "2.pbs01": Seen(state=JobState.RUNNING, reason="Job run at Tue Nov 14 at 22:13 on (n1:ncpus=1)"),
        "3.pbs01": Seen(state=JobState.RUNNING),
        "4.pbs01": Seen(state=JobState.COMPLETED, reason="Job run and finished"),
        "5.pbs01": Seen(state=JobState.FAILED, reason="Job run and failed; exit status 3"),
        "6.pbs01": Seen(state=JobState.CANCELLED, reason="terminated; exit status 271"),
        "7.pbs01": Seen(state=JobState.CANCELLED, reason="Deleted while queued"),
        "8.pbs01": Seen(state=JobState.TIMEOUT, reason="Job run and failed; exit status -29"),
        "9.pbs01": Seen(state=JobState.OUT_OF_MEMORY, reason="exit status -27"),
        "10.pbs01": Seen(state=JobState.QUEUED),
    }


TORQUE_XML = """\
<Data><Job><Job_Id>1.torque</Job_Id><Job_Name>covalent-0-disp</Job_Name><Job_Owner>ada@login</Job_Owner>\
<job_state>Q</job_state><queue>batch</queue></Job><Job><Job_Id>2.torque</Job_Id><job_state>R</job_state></Job>\
<Job><Job_Id>3.torque</Job_Id><job_state>C</job_state><exit_status>0</exit_status></Job>\
<Job><Job_Id>4.torque</Job_Id><job_state>C</job_state><exit_status>-11</exit_status></Job>\
<Job><Job_Id>5.torque</Job_Id><job_state>C</job_state><exit_status>271</exit_status></Job></Data>
"""


def test_torque_answers_are_read() -> None:
    """XML; its numbers for limits are others than those of PBS."""
    assert {job: seen.state for job, seen in PBS.read_states(0, TORQUE_XML, "").items()} == {
        "1.torque": JobState.QUEUED,
        "2.torque": JobState.RUNNING,
        "3.torque": JobState.COMPLETED,
        "4.torque": JobState.TIMEOUT,
        "5.torque": JobState.CANCELLED,
    }


def test_qstat_without_an_answer_says_nothing_of_jobs() -> None:
    """An unknown job is no error; a server that is down is."""
    assert PBS.read_states(153, "", "qstat: Unknown Job Id 9.pbs01") == {}
    assert PBS.read_states(153, '{"timestamp":1,"pbs_version":"2022"}', "qstat: Unknown Job Id 9.pbs01") == {}
    for status, out, err in ((111, "", "qstat: cannot connect to server pbs01 (errno=111)"), (0, '{"Jobs":{"1":', "")):
        with pytest.raises(StatusError):
            PBS.read_states(status, out, err)


# Answers of LSF

BJOBS_JSON = """\
{
  "COMMAND":"bjobs",
  "JOBS":9,
  "RECORDS":[
    {"JOBID":"1","STAT":"PEND","EXIT_CODE":"","EXIT_REASON":""},
    {"JOBID":"2","STAT":"RUN","EXIT_CODE":"","EXIT_REASON":""},
    {"JOBID":"3","STAT":"DONE","EXIT_CODE":"","EXIT_REASON":""},
    {"JOBID":"4","STAT":"EXIT","EXIT_CODE":"3","EXIT_REASON":""},
    {"JOBID":"5","STAT":"EXIT","EXIT_CODE":"140",
     "EXIT_REASON":"TERM_RUNLIMIT: job killed after reaching LSF run time limit"},
    {"JOBID":"6","STAT":"EXIT","EXIT_CODE":"137",
     "EXIT_REASON":"TERM_MEMLIMIT: job killed after reaching LSF memory usage limit"},
    {"JOBID":"7","STAT":"EXIT","EXIT_CODE":"130","EXIT_REASON":"TERM_OWNER: job killed by owner"},
    {"JOBID":"8","STAT":"UNKWN","EXIT_CODE":"","EXIT_REASON":""},
    {"JOBID":"9","ERROR":"Job <9> is not found"}
  ]
}
"""


def test_lsf_answers_are_read() -> None:
    """Why a job was killed is in its reason; one whose host is silent has not ended."""
    found = LSF.read_states(255, BJOBS_JSON, "")
    assert {job: seen.state for job, seen in found.items()} == {
        "1": JobState.QUEUED,
        "2": JobState.RUNNING,
        "3": JobState.COMPLETED,
        "4": JobState.FAILED,
        "5": JobState.TIMEOUT,
        "6": JobState.OUT_OF_MEMORY,
        "7": JobState.CANCELLED,
        "8": JobState.RUNNING,
    }
    assert found["4"].reason == "exit code 3"
    assert found["7"].reason == "TERM_OWNER: job killed by owner; exit code 130"


def test_bjobs_without_an_answer_says_nothing_of_jobs() -> None:
    """An unknown job is no error; a master that is down is."""
    assert LSF.read_states(255, "", "Job <9> is not found") == {}
    with pytest.raises(StatusError, match="LSF is down"):
        LSF.read_states(255, "", "LSF is down. Please wait ...")


# Answers of Grid Engine

QSTAT_XML = """\
<?xml version='1.0'?>
<job_info  xmlns:xsd="http://arc.liv.ac.uk/repos/darcs/sge/source/dist/util/resources/schemas/qstat/qstat.xsd">
  <queue_info>
    <job_list state="running">
      <JB_job_number>1</JB_job_number>
      <JAT_prio>0.55500</JAT_prio>
      <JB_name>covalent-0-d</JB_name>
      <JB_owner>ada</JB_owner>
      <state>r</state>
      <JAT_start_time>2026-11-22T09:00:00</JAT_start_time>
      <queue_name>all.q@node1</queue_name>
      <slots>1</slots>
    </job_list>
    <job_list state="running"><JB_job_number>2</JB_job_number><state>dr</state></job_list>
  </queue_info>
  <job_info>
    <job_list state="pending"><JB_job_number>3</JB_job_number><state>qw</state><slots>1</slots></job_list>
    <job_list state="pending"><JB_job_number>4</JB_job_number><state>hqw</state></job_list>
    <job_list state="pending"><JB_job_number>5</JB_job_number><state>Eqw</state></job_list>
  </job_info>
</job_info>
"""
QACCT = """\
==============================================================
qname        all.q
hostname     node1
owner        ada
jobname      covalent-0-d
jobnumber    6
taskid       undefined
failed       0
deleted_by   NONE
exit_status  0
ru_wallclock 3s
==============================================================
jobnumber    7
failed       37  : qmaster enforced h_rt, h_cpu, or h_vmem limit
exit_status  137                  (Killed)
maxvmem      1.2G
==============================================================
jobnumber    8
failed       100 : assumedly after job
deleted_by   ada@login
exit_status  137                  (Killed)
==============================================================
jobnumber    9
failed       0
exit_status  2
"""


def test_sge_answers_are_read() -> None:
    """A job in the error state will never run."""
    assert {job: seen.state for job, seen in SGE.read_states(0, QSTAT_XML, "").items()} == {
        "1": JobState.RUNNING,
        "2": JobState.RUNNING,
        "3": JobState.QUEUED,
        "4": JobState.QUEUED,
        "5": JobState.FAILED,
    }
    with pytest.raises(StatusError, match="unable to contact qmaster"):
        SGE.read_states(1, "", "error: commlib error: unable to contact qmaster")


def test_sge_accounts_are_read() -> None:
    """Block by block; jobs that are not accounted yet are unknown."""
    assert SGE.read_history(1, QACCT, "error: job id 10 not found") == {
        "6": Seen(state=JobState.COMPLETED),
        "7": Seen(state=JobState.TIMEOUT, reason="qmaster enforced h_rt, h_cpu, or h_vmem limit; exit status 137"),
        "8": Seen(state=JobState.CANCELLED, reason="assumedly after job; exit status 137"),
        "9": Seen(state=JobState.FAILED, reason="exit status 2"),
    }
    assert SGE.read_history(1, "", "error: job id 10 not found") == {}


REAL_QSTAT = """\
<?xml version='1.0'?>
<job_info  xmlns:xsd="http://arc.liv.ac.uk/repos/darcs/sge/source/dist/util/resources/schemas/qstat/qstat.xsd">
  <queue_info>
    <job_list state="running">
      <JB_job_number>215</JB_job_number>
      <JAT_prio>0.50000</JAT_prio>
      <JB_name>STDIN</JB_name>
      <JB_owner>root</JB_owner>
      <state>r</state>
      <JAT_start_time>2026-11-22T16:46:02</JAT_start_time>
      <queue_name>all.q@localhost</queue_name>
      <slots>1</slots>
    </job_list>
    <job_list state="running">
      <JB_job_number>1</JB_job_number>
      <JB_owner>root</JB_owner>
      <state>dt</state>
      <queue_name>all.q@localhost</queue_name>
      <slots>1</slots>
    </job_list>
  </queue_info>
  <job_info>
    <job_list state="pending">
      <JB_job_number>212</JB_job_number>
      <JAT_prio>0.50000</JAT_prio>
      <JB_name>STDIN</JB_name>
      <JB_owner>root</JB_owner>
      <state>Eqw</state>
      <JB_submission_time>2026-11-22T16:45:57</JB_submission_time>
      <queue_name></queue_name>
      <slots>1</slots>
    </job_list>
  </job_info>
</job_info>
"""
REAL_QACCT = """\
==============================================================
qname        all.q               
hostname     localhost           
group        root                
owner        root                
project      NONE                
department   defaultdepartment   
jobname      t.sh                
jobnumber    2                   
taskid       undefined
account      sge                 
qsub_time    Sun Nov 22 16:41:18 2026
granted_pe   NONE                
failed       0    
exit_status  0                   
ru_wallclock 2s
category     NONE
==============================================================
jobnumber    209                 
failed       37  : qmaster enforced h_rt, h_cpu, or h_vmem limit
exit_status  137                  (Killed)
==============================================================
jobnumber    213                 
failed       100 : assumedly after job
exit_status  137                  (Killed)
==============================================================
jobnumber    214                 
failed       100 : assumedly after job
exit_status  138                  (User defined signal 1)
"""  # noqa: W291  as it came


def test_answers_of_grid_engine_8_1_9_are_read() -> None:
    """Captured from one. It does not tell who deleted a job (213), nor that a soft limit did (214)."""
    assert {job: seen.state for job, seen in SGE.read_states(0, REAL_QSTAT, "").items()} == {
        "215": JobState.RUNNING,
        "1": JobState.RUNNING,
        "212": JobState.FAILED,
    }
    assert SGE.read_history(0, REAL_QACCT, "") == {
        "2": Seen(state=JobState.COMPLETED),
        "209": Seen(state=JobState.TIMEOUT, reason="qmaster enforced h_rt, h_cpu, or h_vmem limit; exit status 137"),
        "213": Seen(state=JobState.FAILED, reason="assumedly after job; exit status 137"),
        "214": Seen(state=JobState.FAILED, reason="assumedly after job; exit status 138"),
    }


def test_all_of_the_users_jobs_are_asked_for_at_once() -> None:
    """Where the system can; its history is asked job by job."""
    assert SGE.ask(["1", "2"]) == "qstat -xml"
    assert SGE.ask_history(["1", "2"]) == "for job in 1 2; do qacct -j $job; done"
    assert LSF.ask(["1", "2"]).endswith(" 1 2")
    assert "qstat -x -f -F json 1.a 2.a;" in PBS.ask(["1.a", "2.a"])
