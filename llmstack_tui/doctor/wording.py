"""What the doctor says: one sentence for each kind of finding, evidence, advice and fix."""

from __future__ import annotations

from llmstack_tui.base.sentences import Catalogue, Plural

SENTENCES: Catalogue = {
    "doctor.late": "This could not be looked at within {limit_s:g} s; the log may say more.",
    # A model that is tried out.
    "trial.failed": "This failed: {step}.",
    "trial.not_tried": "It was not tried.",
    "trial.left_out": "It does not suit this model, or the server does not tell.",
    "trial.there": "{model} is there: {size:size}.",
    "trial.there_somewhere": "{model} is there.",
    "trial.loaded": "It was loaded in {took_s:seconds}.",
    "trial.was_loaded": "It was loaded already.",
    "trial.generated": Plural("count", one="1 token was generated.", other="{count} tokens were generated."),
    "trial.chatted": Plural(
        "count", one="It answered a chat with 1 token.", other="It answered a chat with {count} tokens."
    ),
    "trial.embedded": "A text became {count:,} numbers.",
    "trial.empty": "The answer was empty.",
    "trial.declined": "It was not loaded.",
    "trial.first_token": "The first token came after {took_s:seconds}.",
    "trial.late": "{limit_s:g} s are long: a smaller model answers sooner.",
    "trial.speed": "{speed:.1f} tokens per second.",
    "trial.slow": "That is slower than most people read. A smaller quantization of {model} is faster.",
    "trial.memory": "It takes {size:size}, as the server says.",
    "trial.memory_of_device": (
        "It takes {size:size}, as the server says, and {device:size}, as the system says."
    ),
    # Servers.
    "doctor.servers_answer": Plural("count", one="1 server answers.", other="{count} servers answer."),
    "doctor.ollama_stopped": "Ollama is installed and does not answer at {url}.",
    "doctor.start_ollama": "Start Ollama at {url}. It stays when llmstack ends.",
    "doctor.engine_stopped": "No server runs. The built-in engine is started when it is needed.",
    "doctor.start_engine": "Start the built-in engine. It stays when llmstack ends.",
    "doctor.stop_the_engine": "Stop the built-in engine (`llmstack engine stop`).",
    "doctor.stop_ollama": "Stop Ollama; its running requests end with it.",
    "doctor.restart_ollama": "Restart Ollama, so that it reads its variables; its running requests end.",
    "doctor.kill_engine": "End process {pid}; an engine is started again when it is needed.",
    "doctor.set_context": (
        "Set [engine] context_length to {tokens:,}. It counts from the engine's next start, and each loaded "
        "model takes more memory."
    ),
    "doctor.unset": "Give {names} its earlier value in the settings file.",
    "doctor.pass_clipboard": "Run `tmux set -s set-clipboard on`. It counts until tmux ends.",
    "doctor.clipboard_as_before": "Give set-clipboard its earlier value.",
    "doctor.clipboard_back": "Run `tmux set -s set-clipboard {value}`.",
    "doctor.nothing_to_run": "Nothing here can run models.",
    "doctor.no_ollama": "Ollama is not installed.",
    "doctor.install_one": (
        "`llmstack install ollama` installs Ollama, and `llmstack install engine` the built-in engine."
    ),
    "doctor.no_server": "No server answers.",
    "doctor.no_answer": "{url} does not answer as a server of models.",
    "doctor.answers": "{url} answers: {name:word} {version}.",
    "doctor.answered_in": "{url} answers in {took_ms} ms.",
    "doctor.slow_server": (
        "An idle server takes a few milliseconds, and {limit_ms} ms are much: it may be busy, or far away. "
        "If it stays so, restart it."
    ),
    "doctor.ports_free": "No other program has the port of a server.",
    "doctor.port_taken": "At {url}, something answers that is no server of models.",
    "doctor.listens": "{program} listens there.",
    "doctor.other_port": (
        "End that program, or give the server another port: OLLAMA_HOST for Ollama, [engine] port for the "
        "built-in engine."
    ),
    "doctor.closed": "Other machines reach no server of this one.",
    "doctor.open": "Other machines can use a server of this one without a key, and remove its models.",
    "doctor.open_with_key": "Other machines reach a server of this one with its key only.",
    "doctor.door": "{url} answers without a key.",
    "doctor.door_with_key": "{url} asks for a key.",
    "doctor.close_it": (
        "Set OLLAMA_HOST=127.0.0.1 for Ollama and restart it, or protect its port; the built-in engine asks "
        "for a key that `llmstack engine key` makes."
    ),
    "doctor.ollama_at": "Ollama is {path}.",
    "doctor.no_start": "How long Ollama's last start took is on no record.",
    "doctor.started_in": "Ollama's last start took {took_s:seconds}.",
    "doctor.read_in": "By {file}.",
    "doctor.slow_start": (
        "llmstack waits {limit_s:g} s for it. A driver of a graphics card that hangs is the usual reason: "
        "restart the machine, or renew the driver."
    ),
    "doctor.engine_usable": "The built-in engine is installed and suits this processor.",
    "doctor.engine_not_running": "The built-in engine is not running.",
    "doctor.engine_runs": "The built-in engine (process {pid}) answers at {url}.",
    "doctor.engine_hangs": "The built-in engine runs (process {pid}) and does not answer at {url}.",
    "doctor.end_engine": "`llmstack engine stop --force` ends it.",
    # Settings.
    "doctor.settings_fine": "There is no mistake in the settings of {file}.",
    "doctor.settings_wrong": Plural(
        "count", one="1 mistake in the settings.", other="{count} mistakes in the settings."
    ),
    "doctor.see_settings": "`llmstack config` shows what is in force; the faulty settings are ignored.",
    "doctor.no_ollama_process": "Ollama does not run on this machine.",
    "doctor.settings_unreadable": "Process {pid} belongs to another user, who alone may read its variables.",
    "doctor.settings_in_force": "What is set for Ollama is in force.",
    "doctor.settings_idle": Plural(
        "count",
        one="1 variable is set, and the running Ollama has not got it.",
        other="{count} variables are set, and the running Ollama has not got them.",
    ),
    "doctor.idle_in_unit": "The unit sets {name}={value}; in force is: {running}",
    "doctor.idle_in_shell": "The shell sets {name}={value}, which a server that runs already does not see.",
    "doctor.by_what_is_loaded": (
        "The context is judged by what is loaded: it may be in force, and the models have one of their own."
    ),
    "doctor.settings_unset": Plural(
        "count",
        one="1 variable is in force, and set nowhere.",
        other="{count} variables are in force, and set nowhere.",
    ),
    "doctor.set_nowhere": "{name}={value} is in force.",
    "doctor.restart_for_settings": (
        "Ollama reads its variables when it starts: restart it. `llmstack variables` shows where each is "
        "set, and sets them."
    ),
    "doctor.set_for_good": "They are lost when Ollama is started in another way.",
    "doctor.context": "{url} loads models with {tokens:,} tokens of context by default.",
    "doctor.small_context": (
        "An agent or a coding tool needs {needed:,} at least, and Ollama's documentation advises {advised:,}."
    ),
    "doctor.context_of_engine": "Set [engine] context_length, or PARAMETER num_ctx in the model.",
    "doctor.context_of_ollama": (
        "`llmstack variables set OLLAMA_CONTEXT_LENGTH=TOKENS --restart` sets it for the server, PARAMETER "
        "num_ctx for a model."
    ),
    # Graphics cards.
    "doctor.card_trouble": "A graphics card cannot be used.",
    "doctor.no_driver": "A graphics card has no driver that can run models.",
    "doctor.driver_of": "A card of {maker} has the driver {driver}.",
    "doctor.no_driver_of": "A card of {maker} in slot {slot} has no driver.",
    "doctor.install_driver": (
        "Install the driver of the card's maker (`ubuntu-drivers install` on Ubuntu), and restart."
    ),
    "doctor.no_card": "No graphics card that runs models was found.",
    "doctor.cards_fine": "The graphics cards have their drivers.",
    "doctor.card": "{name}",
    "doctor.card_with_driver": "{name}, driver {driver}, CUDA up to {cuda}",
    "doctor.card_used": "Models are computed on the graphics card.",
    "doctor.card_not_used": "A loaded model is computed in part, or only, on the processor.",
    "doctor.card_was_not_used": "When it was last loaded, a model was computed on the processor.",
    "doctor.on_card": "{model}: {part:size} of {size:size} on the card",
    "doctor.on_processor": "What is loaded is computed on the processor, as the server was built to do.",
    "doctor.use_unknown": (
        "Whether models use the card is not known: nothing is loaded. `llmstack validate NAME` tells."
    ),
    "doctor.wakes": "It wakes when a program computes on it; nothing has to be done.",
    "doctor.asleep": "{names}: suspended, and left asleep.",
    "doctor.none_asleep": "No graphics card is suspended.",
    "doctor.no_container": "This is no container.",
    "doctor.container_with_card": "This container has access to the graphics card.",
    "doctor.container_without_card": (
        "This container has no access to the graphics card of {makers} that the machine has."
    ),
    "doctor.open_container": (
        "Start it with the card: `docker run --gpus all` for NVIDIA, `--device /dev/kfd` for AMD."
    ),
    "doctor.engine_on_cpu": "This build of the built-in engine does not use the graphics card of {makers}.",
    "doctor.engine_for_card": (
        "Run Ollama, or install the engine's build for it: https://github.com/xorbitsai/xllamacpp#installation"
    ),
    "doctor.engine_build_fine": "The built-in engine's build suits this machine.",
    # macOS, and the system.
    "doctor.no_mac": "This is no Mac.",
    "doctor.macos": "macOS {version}.",
    "doctor.old_macos": ("Ollama needs macOS {least} or newer: Software Update in System Settings has it."),
    "doctor.no_apple_chip": "There is no Apple chip.",
    "doctor.unified_memory": (
        "{chip} with {memory:size} of unified memory, of which graphics may take {limit:size}."
    ),
    "doctor.high_gpu_limit": (
        "That leaves too little to macOS. The command gives the limit its default, until it is set again."
    ),
    "doctor.files_unlimited": "A program may have any number of files open.",
    "doctor.files": "A program may have {limit:,} files open.",
    "doctor.raise_files": "The command raises that for all that the same shell runs afterwards.",
    "doctor.python": "Python {version}.",
    "doctor.wrong_python": (
        "This llmstack is made for Python {wanted}: install it again, into an environment with such a one."
    ),
    "doctor.no_package_list": "llmstack runs from its source: what it needs is not on record.",
    "doctor.packages": Plural(
        "count",
        one="1 package is as llmstack needs it.",
        other="{count} packages are as llmstack needs them.",
    ),
    "doctor.wrong_packages": Plural(
        "count",
        one="1 package is not as llmstack needs it.",
        other="{count} packages are not as llmstack needs them.",
    ),
    "doctor.package": "{name} {installed}",
    "doctor.package_wrong": "{name} {installed} is installed, and {wanted} is needed.",
    "doctor.package_missing": "{name} is not installed, and {wanted} is needed.",
    "doctor.install_again": "The command installs what it needs.",
    # The disk.
    "doctor.no_folder": "There is no folder of models.",
    "doctor.free": "{free:size} are free for models.",
    "doctor.space": "{path}: {free:size} of {total:size} free",
    "doctor.free_some": "`llmstack disk` shows what models take; `llmstack rm NAME` removes one.",
    "doctor.no_manifest": "{path} cannot be read as a manifest.",
    "doctor.damaged_model": Plural(
        "count",
        one="{model} in {folder}: 1 file is missing or has changed.",
        other="{model} in {folder}: {count} files are missing or have changed.",
    ),
    "doctor.models_damaged": "Something is wrong in a folder of models.",
    "doctor.verify_models": "`llmstack disk --verify` reads all files, and says what to pull again.",
    "doctor.models_whole": Plural(
        "count", one="The files of 1 model are there.", other="The files of {count} models are there."
    ),
    "doctor.no_leftovers": "All files of models are in use.",
    "doctor.leftovers": "No model uses {size:size} of files.",
    "doctor.leftovers_in": Plural(
        "count", one="{folder}: 1 file, {size:size}", other="{folder}: {count} files, {size:size}"
    ),
    "doctor.leftovers_stay": (
        "llmstack removes nothing from Ollama's folder, which removes what it can when it starts, and "
        "nothing that is younger than an hour."
    ),
    "doctor.clean": Plural(
        "count",
        one="Remove 1 file of {size:size} from the engine's folder. That cannot be taken back.",
        other="Remove {count} files of {size:size} from the engine's folder. That cannot be taken back.",
    ),
    "doctor.prunes": "Ollama removes what no model uses when it starts.",
    "doctor.noprune": "OLLAMA_NOPRUNE keeps Ollama from removing what no model uses: {size:size}.",
    "doctor.prune": "Without OLLAMA_NOPRUNE, the next start of Ollama removes them.",
    "doctor.state_sound": "The state file {file} is sound.",
    "doctor.place_of_state": "It has to be a file in a folder in which you may write.",
    "doctor.state_unusable": "The state file {file} cannot be used as it is.",
    "doctor.renew_state": "Set {file} aside, under another name beside it, and begin a new one.",
    "doctor.old_state": "The old one keeps what it has, as {file}.damaged- with the date.",
    # The network.
    "doctor.registry": "The registry {url} can be reached.",
    "doctor.no_registry": "The registry {url} cannot be reached.",
    "doctor.not_asked": "The registry was not asked: [updates] check_every is off.",
    "doctor.offline": (
        "Models that are here work; none can be pulled or checked for updates. See whether this machine is "
        "online, and whether HTTPS_PROXY names a proxy that it needs."
    ),
    "doctor.clock": "The clock agrees with the registry's.",
    "doctor.clock_unknown": "Whether the clock is right is not known: the registry does not tell the time.",
    "doctor.clock_fast": "The clock is {apart_s:duration} ahead of the registry's.",
    "doctor.clock_slow": "The clock is {apart_s:duration} behind the registry's.",
    "doctor.set_clock": (
        "Certificates and keys are judged by the clock: have the system set it from the network."
    ),
    "doctor.no_proxy": "No proxy is set.",
    "doctor.proxy": "{scheme}: {url}",
    "doctor.proxy_fine": "A proxy is set, and not asked about this machine.",
    "doctor.proxy_in_the_way": "A proxy is set for this machine's own servers, too.",
    "doctor.except_local": (
        "Or else `ollama` and other clients ask the proxy for them. The command counts for all that "
        "the same shell runs afterwards."
    ),
    # The terminal.
    "doctor.no_terminal": "This runs without a terminal.",
    "doctor.colours": "The terminal has {count:,} colours (TERM={term}).",
    "doctor.more_colours": "If it has more, it has only to say so.",
    "doctor.encoding": "Its encoding is {encoding}.",
    "doctor.set_locale": "Marks and bars are drawn in ASCII, unless the locale is one of UTF-8.",
    "doctor.mouse": "The mouse can be used.",
    "doctor.no_mouse": "A terminal of the kind {term} has no mouse.",
    "doctor.keys_do": (
        "Every action has a key. In a terminal window, or over SSH from one, the mouse works, too."
    ),
    "doctor.size": "It has {columns} columns and {rows} rows.",
    "doctor.larger": (
        "The dashboard is made for {columns} by {rows} and more: make the window larger, or its font smaller."
    ),
    "doctor.clipboard": "What is copied should reach the clipboard.",
    "doctor.no_clipboard": "{program} does not hand on what the dashboard copies.",
    "doctor.tmux_clipboard": "`tmux set -s set-clipboard on` changes that.",
    "doctor.select_with_shift": "Select text with the mouse while Shift is held, and copy it so.",
}
