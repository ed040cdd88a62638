package web

import (
	"context"
	"net/http"
	"time"

	"github.com/google/uuid"

	"vesper/internal/access"
	"vesper/pipeline"
)

// notice is what a person is told.
type notice struct {
	ID          uuid.UUID         `json:"id"`
	Say         string            `json:"say"`
	DictationID uuid.UUID         `json:"dictation_id"`
	WorkType    string            `json:"work_type"`
	Priority    pipeline.Priority `json:"priority" enum:"stat,routine"`
	State       pipeline.State    `json:"state"`
	At          time.Time         `json:"at"`
	Read        bool              `json:"read"`
}

type noticesOutput struct {
	Body struct {
		Items []notice `json:"items" doc:"The newest hundred"`
	}
}

type unreadOutput struct {
	Body struct {
		Unread int `json:"unread"`
	}
}

type noticeSettings struct {
	Address string `json:"address" maxLength:"200" doc:"E-mail address; may be empty"`
	ByMail  bool   `json:"by_mail" doc:"Also tell by e-mail"`
}

type noticeSettingsBody struct {
	Body noticeSettings
}

func (s *Server) mountNotices() {
	const tag = "notifications"
	add(s, operation(http.MethodGet, "/v1/notifications", tag, "list-notifications", "What you are told"), s.getNotices)
	add(s, operation(http.MethodGet, "/v1/notifications/unread", tag, "count-unread", "How many you have not read; cheap enough to poll"),
		func(ctx context.Context, a access.Actor, _ *struct{}) (*unreadOutput, error) {
			n, err := s.svc.UnreadNotices(ctx, a)
			out := &unreadOutput{}
			out.Body.Unread = n
			return out, err
		})
	one := operation(http.MethodPost, "/v1/notifications/{id}/read", tag, "read-notification", "Mark one as read")
	one.DefaultStatus = http.StatusNoContent
	add(s, one, func(ctx context.Context, a access.Actor, in *thingByID) (*nothing, error) {
		return nil, s.svc.ReadNotices(ctx, a, &in.ID)
	})
	all := operation(http.MethodPost, "/v1/notifications/read", tag, "read-all-notifications", "Mark all as read")
	all.DefaultStatus = http.StatusNoContent
	add(s, all, func(ctx context.Context, a access.Actor, _ *struct{}) (*nothing, error) {
		return nil, s.svc.ReadNotices(ctx, a, nil)
	})
	add(s, operation(http.MethodGet, "/v1/notifications/settings", tag, "get-notification-settings", "Where you are told besides the app"),
		func(ctx context.Context, a access.Actor, _ *struct{}) (*noticeSettingsBody, error) {
			n, err := s.svc.NoticeSettings(ctx, a)
			return &noticeSettingsBody{noticeSettings(n)}, err
		})
	set := operation(http.MethodPut, "/v1/notifications/settings", tag, "set-notification-settings", "Say where you are told besides the app")
	set.DefaultStatus = http.StatusNoContent
	add(s, set, func(ctx context.Context, a access.Actor, in *noticeSettingsBody) (*nothing, error) {
		return nil, s.svc.SetNoticeSettings(ctx, a, pipeline.NoticeSettings(in.Body))
	})
}

func (s *Server) getNotices(ctx context.Context, a access.Actor, _ *struct{}) (*noticesOutput, error) {
	list, err := s.svc.Notices(ctx, a)
	if err != nil {
		return nil, err
	}
	out := &noticesOutput{}
	out.Body.Items = each(list, func(n pipeline.Notice) notice {
		return notice{n.ID, n.Say, n.DictationID, n.WorkType, n.Priority, n.State, n.At, n.ReadAt != nil}
	})
	return out, nil
}
