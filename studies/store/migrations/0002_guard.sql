-- Sealed and failed sessions are read-only, and nothing rewrites an observation.
-- Samples enter only while their session records; what is derived enters until
-- the session is sealed.

-- eda_sample
CREATE TRIGGER eda_sample_enter BEFORE INSERT ON eda_sample
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'recording'
BEGIN SELECT RAISE(ABORT, 'samples enter only while their session records'); END;
CREATE TRIGGER eda_sample_observed BEFORE UPDATE OF session_id, stream, segment, seq, epoch, tick, arrival_ns,
    raw, eda_us ON eda_sample
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER eda_sample_derived BEFORE UPDATE OF at_ns, err_ns ON eda_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER eda_sample_kept BEFORE DELETE ON eda_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- gaze_sample
CREATE TRIGGER gaze_sample_enter BEFORE INSERT ON gaze_sample
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'recording'
BEGIN SELECT RAISE(ABORT, 'samples enter only while their session records'); END;
CREATE TRIGGER gaze_sample_observed BEFORE UPDATE OF session_id, stream, segment, seq, epoch, tick, arrival_ns,
    gaze_x, gaze_y, gaze_valid, pupil_left_mm, pupil_right_mm ON gaze_sample
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER gaze_sample_derived BEFORE UPDATE OF at_ns, err_ns ON gaze_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER gaze_sample_kept BEFORE DELETE ON gaze_sample
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- face_frame
CREATE TRIGGER face_frame_enter BEFORE INSERT ON face_frame
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'recording'
BEGIN SELECT RAISE(ABORT, 'samples enter only while their session records'); END;
CREATE TRIGGER face_frame_observed BEFORE UPDATE OF session_id, stream, segment, seq, epoch, tick, arrival_ns,
    face_found, face_confidence, box_x_px, box_y_px, box_w_px, box_h_px,
    p_neutral, p_happy, p_sad, p_angry, p_fearful, p_disgusted, p_surprised, valence, arousal, landmarks ON face_frame
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER face_frame_derived BEFORE UPDATE OF at_ns, err_ns ON face_frame
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER face_frame_kept BEFORE DELETE ON face_frame
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- stimulus_frame
CREATE TRIGGER stimulus_frame_enter BEFORE INSERT ON stimulus_frame
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'recording'
BEGIN SELECT RAISE(ABORT, 'samples enter only while their session records'); END;
CREATE TRIGGER stimulus_frame_observed BEFORE UPDATE OF session_id, stream, segment, seq, epoch, tick, arrival_ns,
    presentation, frame, media_ns, presented_frames, rect_x, rect_y, rect_w, rect_h ON stimulus_frame
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER stimulus_frame_derived BEFORE UPDATE OF at_ns, err_ns ON stimulus_frame
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER stimulus_frame_kept BEFORE DELETE ON stimulus_frame
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- event
CREATE TRIGGER event_enter BEFORE INSERT ON event
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'recording'
BEGIN SELECT RAISE(ABORT, 'samples enter only while their session records'); END;
CREATE TRIGGER event_observed BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER event_kept BEFORE DELETE ON event
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- clock_probe
CREATE TRIGGER clock_probe_enter BEFORE INSERT ON clock_probe
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IS NOT 'recording'
BEGIN SELECT RAISE(ABORT, 'samples enter only while their session records'); END;
CREATE TRIGGER clock_probe_observed BEFORE UPDATE ON clock_probe
BEGIN SELECT RAISE(ABORT, 'observations are never rewritten'); END;
CREATE TRIGGER clock_probe_kept BEFORE DELETE ON clock_probe
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- segment
CREATE TRIGGER segment_enter BEFORE INSERT ON segment
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER segment_derived BEFORE UPDATE ON segment
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER segment_kept BEFORE DELETE ON segment
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- stream
CREATE TRIGGER stream_enter BEFORE INSERT ON stream
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER stream_derived BEFORE UPDATE ON stream
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER stream_kept BEFORE DELETE ON stream
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- presentation
CREATE TRIGGER presentation_enter BEFORE INSERT ON presentation
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER presentation_derived BEFORE UPDATE ON presentation
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER presentation_kept BEFORE DELETE ON presentation
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- gap
CREATE TRIGGER gap_enter BEFORE INSERT ON gap
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER gap_derived BEFORE UPDATE ON gap
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER gap_kept BEFORE DELETE ON gap
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- clock_model
CREATE TRIGGER clock_model_enter BEFORE INSERT ON clock_model
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER clock_model_derived BEFORE UPDATE ON clock_model
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER clock_model_kept BEFORE DELETE ON clock_model
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- derivation
CREATE TRIGGER derivation_enter BEFORE INSERT ON derivation
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER derivation_derived BEFORE UPDATE ON derivation
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER derivation_kept BEFORE DELETE ON derivation
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- eda_response
CREATE TRIGGER eda_response_enter BEFORE INSERT ON eda_response
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER eda_response_derived BEFORE UPDATE ON eda_response
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER eda_response_kept BEFORE DELETE ON eda_response
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- trace_row
CREATE TRIGGER trace_row_enter BEFORE INSERT ON trace_row
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER trace_row_derived BEFORE UPDATE ON trace_row
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER trace_row_kept BEFORE DELETE ON trace_row
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- quality
CREATE TRIGGER quality_enter BEFORE INSERT ON quality
WHEN (SELECT state FROM session WHERE id = NEW.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER quality_derived BEFORE UPDATE ON quality
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER quality_kept BEFORE DELETE ON quality
WHEN (SELECT state FROM session WHERE id = OLD.session_id) IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- session
CREATE TRIGGER session_derived BEFORE UPDATE ON session
WHEN OLD.state IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;
CREATE TRIGGER session_kept BEFORE DELETE ON session
WHEN OLD.state IN ('sealed', 'failed')
BEGIN SELECT RAISE(ABORT, 'the session is closed: its rows are read-only'); END;

-- study, stimulus: what a session refers to stays as it was
CREATE TRIGGER study_kept BEFORE UPDATE ON study
BEGIN SELECT RAISE(ABORT, 'a study file that was used is never rewritten'); END;
CREATE TRIGGER stimulus_kept BEFORE UPDATE ON stimulus
BEGIN SELECT RAISE(ABORT, 'a stimulus that was used is never rewritten'); END;

-- audit
CREATE TRIGGER audit_observed BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is never rewritten'); END;
CREATE TRIGGER audit_kept BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is never rewritten'); END;
