"""The sentences of the guard: one for each kind of event, decision and reason."""

from __future__ import annotations

from llmstack_tui.base.sentences import Catalogue, Plural

SENTENCES: Catalogue = {
    # The user's wishes.
    "guard.held": "Hold is on: no model is unloaded automatically.",
    "guard.released": "Hold is off: idle models are unloaded again.",
    "guard.pinned": "{model} is pinned: the guard will not unload it.",
    "guard.unpinned": "{model} is no longer pinned.",
    "guard.may_idle": "{model} may be idle for {idle_s:setting}.",
    "guard.may_idle_for_ever": "{model} may be idle for ever.",
    "guard.may_idle_as_set": "{model} may be idle for {idle_s:setting}, as the settings say.",
    "guard.may_idle_for_ever_as_set": "{model} may be idle for ever, as the settings say.",
    "guard.others_yes": "Models that other programs loaded are unloaded, too, to keep the limits.",
    "guard.others_no": "Models that other programs loaded are left alone.",
    "guard.others_ask": "The guard asks before it unloads models that other programs loaded.",
    "guard.insisted": "{models} may exceed the limit for five minutes, as you said.",
    "guard.decided_by_settings": (
        "The settings decide about models of other programs: guard.others is {setting}. Change it there."
    ),
    "guard.not_answered_there": "Nothing may be changed on {host}: no model is unloaded there.",
    "guard.not_pinned_there": "Nothing may be changed on {host}: models cannot be pinned there.",
    "guard.not_set_there": "Nothing may be changed on {host}: idle limits cannot be set there.",
    # Why a host is not guarded.
    "guard.none": "Nothing is guarded.",
    "guard.disabled": "The guard is switched off: guard.enabled is false.",
    "guard.cannot_unload": "This server cannot be asked to unload a model.",
    "guard.may_not_act": "Nothing may be changed on this server.",
    "guard.is_remote": "This server is on another machine, and guard.remote is false.",
    # Why a model is unloaded.
    "guard.idle": "It was idle for {idle_s:duration}; the limit is {limit_s:setting}.",
    "guard.too_many": Plural(
        "count",
        one="1 model is loaded and the limit is {limit}.",
        other="{count} models are loaded and the limit is {limit}.",
    ),
    "guard.coming": Plural("count", one="1 more is being loaded.", other="{count} more are being loaded."),
    "guard.too_much": "The models take {taken:size} of {memory:word}; the limit is {budget:size}.",
    "guard.no_room": (
        "The loaded models take {taken:size} of {memory:word} and this one about {size:size}; the limit is "
        "{budget:size}."
    ),
    "guard.elsewhere": "Models of other servers on this machine take {size:size} of that.",
    "guard.all_elsewhere": "Models of other servers on this machine take all of that.",
    "guard.shares": "It shares one process with {models}.",
    "guard.makes_room": "It makes room for {model}.",
    "guard.longest_idle": "It has been idle longest ({idle_s:duration}).",
    "guard.longest_idle_of_those": (
        "Of the models that may be unloaded it has been idle longest ({idle_s:duration})."
    ),
    "guard.longest_idle_not_lasting": (
        "Of the models that no program loaded for ever it has been idle longest ({idle_s:duration})."
    ),
    "guard.last_to_go": "Another program loaded it for ever, but no other model can go in its place.",
    "guard.refuses_more": 'guard.over_limit is "refuse".',
    # The heat of the machine.
    "guard.too_hot": "{device} is at {temperature} °C, and the limit is {limit} °C.",
    "guard.throttled": "{device} is slowing down because of heat.",
    "guard.throttled_at": "{device} is slowing down because of heat, at {temperature} °C.",
    "guard.cooling": "Nothing is loaded until it has cooled down.",
    # Pins.
    "guard.lapsing": (
        "It is pinned, and the keep-alive that another client set for it would end in {left_s:duration}."
    ),
    "guard.now_idle": "It was pinned while it was in use.",
    "guard.lost": (
        "{model} is pinned but was unloaded: load it again to keep it. Another program unloaded it or "
        "set its keep-alive, or its server was restarted."
    ),
    "guard.too_many_pins": (
        "More models are pinned than the limit of {limit} allows: {models}. Unpin one, or raise "
        "guard.max_loaded."
    ),
    "guard.stuck": (
        "{model} was asked to leave {left_s:duration} ago, shows no sign of a request, and is still loaded. "
        "If it stays, restart the server."
    ),
    # Why one more model may not be loaded.
    "guard.nobody_to_ask": "Nobody can be asked whether other models may be unloaded for it.",
    "guard.kept_pinned": "Pinned: {models}.",
    "guard.kept_busy": "In use: {models}.",
    "guard.kept_other": "May not be unloaded: {models}.",
    # Why nothing is done.
    "guard.holding": "Hold is on: nothing is unloaded until it is off.",
    "guard.check_again": "The guard checks this once more before it unloads a model.",
    "guard.yields": "{model} has been idle longer and goes first.",
    "guard.yields_elsewhere": "{model} at {host} has been idle longer and goes first.",
    "guard.none_can_go": "All of them are pinned, in use, or may not be unloaded.",
    "guard.none_loaded": "No model is loaded.",
    "guard.loaded": Plural("count", one="1 model is loaded.", other="{count} models are loaded."),
    "guard.loaded_of": Plural(
        "count",
        one="1 model is loaded, and the limit is {limit}.",
        other="{count} models are loaded, and the limit is {limit}.",
    ),
    "guard.none_idle": "None has been idle for too long.",
    # Why a model stays.
    "guard.is_pinned": "It is pinned.",
    "guard.is_leaving": "It was asked to leave {left_s:duration} ago.",
    "guard.is_busy": "It is in use.",
    "guard.is_spared": (
        "It was just loaded over the limit, stayed when it was asked to leave, or has no name left to unload "
        "it by."
    ),
    "guard.is_of_others": "Another program loaded it, and models of other programs are left alone.",
    "guard.is_lasting": (
        "Another program loaded it for ever: it goes only over the limit, and after all others."
    ),
    "guard.has_no_idle_limit": "It may be idle for ever.",
    "guard.is_idle": (
        "It has been idle for {idle_s:duration} or more, and is unloaded after {limit_s:setting}."
    ),
}
